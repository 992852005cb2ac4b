"""Question attempts: the inbox that accepts them, grading, and the pipeline that turns them into effects."""
