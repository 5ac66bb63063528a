"""What single cells call: the widgets, the sections, the checks of the exercises."""
