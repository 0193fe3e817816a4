"""Texts of figures that are cut."""

from matplotlib.text import Text


def cut_texts(figure):
    """Texts of a figure that leave it, or that stand in a panel and leave that."""
    figure.draw_without_rendering()
    cut = []
    for text in figure.findobj(Text):
        box = text.get_window_extent()
        inside = text.axes is not None and text in text.axes.texts
        room = (text.axes.get_tightbbox() if inside else figure.bbox).padded(2)
        if text.get_visible() and text.get_text() and box.width and not _holds(room, box):
            cut.append(text.get_text())
    return cut


def _holds(room, box):
    return room.x0 <= box.x0 and box.x1 <= room.x1 and room.y0 <= box.y0 and box.y1 <= room.y1
