"""From exponential to finite-, fixed- and prescribed-time stability."""
