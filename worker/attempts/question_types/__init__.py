"""One compiler for each question type: content in, a function that grades an answer out."""
