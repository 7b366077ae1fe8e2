"""The experiments, one a module: each measures the rows it promises."""
