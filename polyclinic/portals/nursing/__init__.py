"""The ward round, the bedside, medicines given in bed, handovers, and discharge summaries."""
