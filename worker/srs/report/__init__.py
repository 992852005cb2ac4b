"""A page about memory and workload, of one learner or of many: data, plots, texts, HTML."""
