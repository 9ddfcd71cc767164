namespace PannCore.Reports;

/// <summary>Places for labels next to the points of a drawing, where they cover neither points nor each other.</summary>
internal sealed class LabelPlaces
{
    /// <summary>About the width of a character.</summary>
    public const double CharacterWidth = 6.4;

    private const double Height = 13;

    private readonly double _left, _right, _top, _bottom;
    private readonly List<Box> _taken;

    /// <summary>A panel without labels.</summary>
    public LabelPlaces(double left, double right, double top, double bottom, IEnumerable<(double X, double Y)> points)
    {
        (_left, _right, _top, _bottom) = (left, right, top, bottom);
        _taken = [.. points.Select(at => new Box(at.X - 5, at.Y - 5, at.X + 5, at.Y + 5))];
    }

    /// <summary>Takes the first of a few places next to a point where a label covers nothing: where its text is anchored, and the class that says at which end. Null if there is none.</summary>
    public (double X, double Y, string Anchor)? Take((double X, double Y) at, string text)
    {
        double width = CharacterWidth * text.Length;
        foreach (var (dx, dy) in new[] { (8.0, 4.0), (6.0, -7.0), (6.0, 15.0), (-8.0, 4.0), (-6.0, 15.0), (-6.0, -7.0), (0.0, -9.0), (0.0, 17.0) })
        {
            double start = dx > 0 ? at.X + dx : dx < 0 ? at.X + dx - width : at.X - (width / 2), base0 = at.Y + dy;
            Box box = new(start, base0 - Height + 3, start + width, base0 + 3);
            if (box.Left < _left || box.Right > _right || box.Top < _top - 6 || box.Bottom > _bottom || _taken.Exists(box.Overlaps)) continue;
            _taken.Add(box);
            return dx < 0 ? (box.Right, base0, " end") : (box.Left, base0, "");
        }

        return null;
    }

    private readonly record struct Box(double Left, double Top, double Right, double Bottom)
    {
        public bool Overlaps(Box other) => Left < other.Right && other.Left < Right && Top < other.Bottom && other.Top < Bottom;
    }
}
