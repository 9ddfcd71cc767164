using System.Text.Json;

namespace PannCore.Cli;

/// <summary>A row of a table that <c>pann reproduce</c> fills.</summary>
internal interface IResultRow
{
    /// <summary>What it is found by.</summary>
    string Name { get; }
}

/// <summary>A table that <c>pann reproduce</c> fills row by row, whenever it is run.</summary>
internal sealed record ResultFile<TRow>(IReadOnlyList<TRow> Rows) where TRow : IResultRow
{
    private const int MaxBytes = 16 << 20;

    /// <summary>The file of before; an empty one where there is none.</summary>
    /// <exception cref="BadInputException">Something else is there.</exception>
    public static ResultFile<TRow> Read(string file)
    {
        if (!File.Exists(file)) return new([]);
        try
        {
            return JsonSerializer.Deserialize<ResultFile<TRow>>(InputFile.Read(file, file, MaxBytes), CliJson.Options) is { Rows: not null } read && read.Rows.All(row => row is { Name: not null }) ? read : throw new JsonException("no rows");
        }
        catch (JsonException exception)
        {
            throw new BadInputException($"{file}: expected what pann reproduce wrote, found something else: {exception.Message}", exception);
        }
    }

    /// <summary>Writes a row into the file, in the place of the one of the same name or at the end.</summary>
    public static void Write(string file, TRow row) => Change(file, row.Name, _ => row);

    /// <summary>
    /// Changes the row of a name, null if there is none yet, and writes the file. It is read again for that, and locked meanwhile by a file beside it, because another run may write rows of its own.
    /// </summary>
    /// <returns>The row as it is now.</returns>
    /// <exception cref="BadInputException">Another run has held the file for too long.</exception>
    public static TRow Change(string file, string name, Func<TRow?, TRow> change)
    {
        using IDisposable held = FileLock.Hold(file, tries: 200, "that no other run holds it for longer than ten seconds");
        IReadOnlyList<TRow> rows = Read(file).Rows;
        TRow row = change(rows.FirstOrDefault(r => r.Name == name));
        CommonOptions.WriteJson(file, new ResultFile<TRow>(rows.Any(r => r.Name == name) ? [.. rows.Select(r => r.Name == name ? row : r)] : [.. rows, row]));
        return row;
    }
}
