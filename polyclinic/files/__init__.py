"""Files that people give: checked before they are kept, sealed while they are kept, inert when they are given out."""
