"""Lists brought in from other systems, and taken out for them: patients, staff, hours, prices, stock."""
