//! Joins the rooms into the customer's program: pipeline, jobs, handlers.
