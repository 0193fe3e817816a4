"""Texts of figures that are cut."""

from matplotlib.text import Text


def cut_texts(figure):
    """Texts of a figure that leave it, but for labels of ticks, which are hidden beyond the axes."""
    figure.draw_without_rendering()
    ticks = {
        label
        for panel in figure.get_axes()
        for axis in (panel.xaxis, panel.yaxis)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        for label in (tick.label1, tick.label2)
    }
    texts = (
        text for text in figure.findobj(Text) if text not in ticks and text.get_visible() and text.get_text()
    )
    return [text.get_text() for text in texts if not holds(figure.bbox.padded(2), text.get_window_extent())]


def holds(room, box):
    """Whether a box lies in another."""
    return room.x0 <= box.x0 and box.x1 <= room.x1 and room.y0 <= box.y0 and box.y1 <= room.y1
