using System.Globalization;
using System.Xml;

namespace PannCore.Reports;

/// <summary>One attribute of an element; its value is escaped when written.</summary>
internal readonly record struct Attr(string Name, string Value)
{
    public static implicit operator Attr((string Name, string Value) pair) => new(pair.Name, pair.Value);

    public static implicit operator Attr((string Name, double Value) pair) => new(pair.Name, Markup.Coordinate(pair.Value));
}

/// <summary>
/// Writes HTML with inline SVG that is also well-formed XML: <see cref="XmlWriter"/> balances the tags and escapes every text and
/// attribute, after <see cref="PlainText.Harmless"/>.
/// </summary>
internal sealed class Markup : IDisposable
{
    private readonly XmlWriter _xml;

    public Markup(TextWriter writer)
        => _xml = XmlWriter.Create(writer, new XmlWriterSettings { OmitXmlDeclaration = true, NewLineHandling = NewLineHandling.None });

    /// <summary>Opens an element that is closed when the result is disposed.</summary>
    public Scope Open(string tag, params ReadOnlySpan<Attr> attributes)
    {
        Start(tag, attributes);
        return new Scope(_xml);
    }

    /// <summary>Opens a drawing that is a file of its own: its elements are in SVG's namespace.</summary>
    public Scope Drawing(params ReadOnlySpan<Attr> attributes)
    {
        _xml.WriteStartElement("svg", "http://www.w3.org/2000/svg");
        Attributes(attributes);
        return new Scope(_xml);
    }

    /// <summary>An element with nothing but text in it.</summary>
    public void Element(string tag, string text, params ReadOnlySpan<Attr> attributes)
    {
        Start(tag, attributes);
        Text(text);
        _xml.WriteFullEndElement();
    }

    /// <summary>A void HTML element or an SVG shape.</summary>
    public void Empty(string tag, params ReadOnlySpan<Attr> attributes)
    {
        Start(tag, attributes);
        _xml.WriteEndElement();
    }

    /// <summary>A box in which a wide table or drawing scrolls by itself, with the keyboard too.</summary>
    public Scope Box(string label, string kind = "box")
        => Open("div", ("class", kind), ("role", "region"), ("aria-label", label), ("tabindex", "0"));

    public void Text(string text) => _xml.WriteString(PlainText.Harmless(text));

    /// <summary>A line end between elements, so that the file can be read and compared.</summary>
    public void Line() => _xml.WriteWhitespace("\n");

    /// <summary>Our own style sheet or script, never anything from a record.</summary>
    public void Verbatim(string tag, string content)
    {
        _xml.WriteStartElement(tag);
        _xml.WriteRaw(content);
        _xml.WriteFullEndElement();
    }

    public void Dispose() => _xml.Dispose();

    /// <summary>A drawing coordinate, to a hundredth of a pixel.</summary>
    public static string Coordinate(double value)
        => (Math.Round(value, 2) + 0.0).ToString("0.##", CultureInfo.InvariantCulture); // + 0.0 turns -0 into 0

    private void Start(string tag, ReadOnlySpan<Attr> attributes)
    {
        _xml.WriteStartElement(tag);
        Attributes(attributes);
    }

    private void Attributes(ReadOnlySpan<Attr> attributes)
    {
        foreach (Attr attribute in attributes) _xml.WriteAttributeString(attribute.Name, PlainText.Harmless(attribute.Value));
    }

    /// <summary>An open element.</summary>
    internal readonly struct Scope(XmlWriter xml) : IDisposable
    {
        public void Dispose() => xml.WriteFullEndElement();
    }
}
