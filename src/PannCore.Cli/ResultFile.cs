using System.Text.Json;
using PannCore.Experiments;

namespace PannCore.Cli;

/// <summary>A row of a table that <c>pann reproduce</c> fills.</summary>
internal interface IResultRow
{
    /// <summary>What it is found by.</summary>
    string Name { get; }

    /// <summary>What was expected of the row and is not so, in words; null for nothing. A table is read from a file, which may be damaged.</summary>
    string? Fault { get; }

    /// <summary>What figures of some images must hold to: at least one image, and counts of them.</summary>
    static string? CountFault(int images, params IEnumerable<int> counts)
        => images < 1 ? $"at least one image, found {images}" : counts.Where(count => count < 0 || count > images).Select(count => $"counts from 0 to {images} images, found {count}").FirstOrDefault();

    /// <summary>What <see cref="RightAnswers"/> of some images must hold to.</summary>
    static string? AnswerFault(string? right, int images)
    {
        if (right is null) return null;
        try
        {
            RightAnswers.Read(right, images);
            return null;
        }
        catch (BadInputException exception)
        {
            return exception.Message;
        }
    }
}

/// <summary>A table that <c>pann reproduce</c> fills row by row, whenever it is run.</summary>
/// <param name="Data">The images that all rows learn from, or are judged by: <see cref="Experiment.Data"/>.</param>
/// <param name="Rows">The rows.</param>
internal sealed record ResultFile<TRow>(string Data, IReadOnlyList<TRow> Rows) where TRow : IResultRow
{
    private const int MaxBytes = 16 << 20;

    /// <summary>A table.</summary>
    /// <exception cref="BadInputException">There is none, or something else.</exception>
    public static ResultFile<TRow> Read(string file)
    {
        ResultFile<TRow> read;
        try
        {
            read = JsonSerializer.Deserialize<ResultFile<TRow>>(InputFile.Read(file, file, MaxBytes), CliJson.Options) ?? throw new JsonException("no table");
        }
        catch (JsonException exception)
        {
            throw new BadInputException($"{file}: expected what this version of pann reproduce writes, found something else: {exception.Message}", exception);
        }
        for (int i = 0; i < read.Rows.Count; i++)
        {
            if (read.Rows[i] is not { } row) throw BadInputException.At(file, $"row {i}", "a row", "null");
            if (row.Name.Any(char.IsControl)) throw BadInputException.At(file, $"row {i}", "a name of characters that can be seen", "another");
            if (row.Fault is string fault) throw new BadInputException($"{file}: at row {row.Name}: expected {fault}");
        }
        return read;
    }

    /// <summary>The rows of before; none where there is no file.</summary>
    /// <exception cref="BadInputException">Something else is there, or rows of other images.</exception>
    public static IReadOnlyList<TRow> RowsOf(string file, string data)
    {
        if (!File.Exists(file)) return [];
        ResultFile<TRow> read = Read(file);
        return read.Data == data ? read.Rows : throw BadInputException.At(file, "data", $"rows of the images asked for ({data}); name another table by --json", read.Data);
    }

    /// <summary>
    /// Changes the row of a name, null if there is none yet, and writes the file. It is read again for that, and locked meanwhile by a file beside it, because another run may write rows of its own.
    /// </summary>
    /// <returns>The row as it is now.</returns>
    /// <exception cref="BadInputException">Another run has held the file for too long.</exception>
    public static TRow Change(string file, string data, string name, Func<TRow?, TRow> change)
    {
        using IDisposable held = FileLock.Hold(file, tries: 200, "that no other run holds it for longer than ten seconds");
        IReadOnlyList<TRow> rows = RowsOf(file, data);
        TRow row = change(rows.FirstOrDefault(r => r.Name == name));
        CommonOptions.WriteJson(file, new ResultFile<TRow>(data, rows.Any(r => r.Name == name) ? [.. rows.Select(r => r.Name == name ? row : r)] : [.. rows, row]));
        return row;
    }
}
