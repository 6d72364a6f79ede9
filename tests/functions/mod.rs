//! Each function through its own component: what it takes, what it answers, what the tables hold then.
