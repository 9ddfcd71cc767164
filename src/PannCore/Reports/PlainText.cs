using System.Globalization;
using System.Text;
using System.Xml;

namespace PannCore.Reports;

/// <summary>Makes text from files safe to show: names may hold terminal escapes, or characters that reorder what stands around them.</summary>
internal static class PlainText
{
    /// <summary>The text with every character replaced by U+FFFD that XML forbids, that shows as nothing, or that reorders text.</summary>
    public static string Harmless(string text)
    {
        StringBuilder? clean = null;
        for (int i = 0; i < text.Length; i++)
        {
            int length = i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]) ? 2 : 1;
            bool bad = length == 1 && (!XmlConvert.IsXmlChar(text[i]) || IsInvisible(text[i]));
            if (bad) clean ??= new StringBuilder(text, 0, i, text.Length);
            if (bad) clean?.Append('\uFFFD');
            else clean?.Append(text, i, length);
            i += length - 1;
        }

        return clean?.ToString() ?? text;
    }

    /// <summary>Harmless text on one line, for a terminal.</summary>
    public static string OneLine(string text) => Harmless(text).ReplaceLineEndings(" ").Replace('\t', ' ');

    // Delete and C1 controls, and format characters: bidirectional marks and overrides, spaces of no width; but for the soft hyphen, which breaks words, and the joiner of emoji.
    private static bool IsInvisible(char c)
        => c is (>= '\u007F' and <= '\u009F') || (char.GetUnicodeCategory(c) == UnicodeCategory.Format && c is not ('\u00AD' or '\u200D'));
}
