"""Lists brought in from other systems: patients, staff, hours, prices, stock."""
