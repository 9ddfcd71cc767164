using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace PannCore.Cli;

/// <summary>A row of a table that <c>pann reproduce</c> fills.</summary>
internal interface IResultRow
{
    /// <summary>What it is found by.</summary>
    public string Name { get; }
}

/// <summary>A table that <c>pann reproduce</c> fills row by row, whenever it is run.</summary>
internal sealed record ResultFile<TRow>(IReadOnlyList<TRow> Rows) where TRow : IResultRow
{
    private const int MaxBytes = 16 << 20;

    /// <summary>The file of before; an empty one where there is none.</summary>
    /// <exception cref="BadInputException">Something else is there.</exception>
    public static ResultFile<TRow> Read(string file, JsonTypeInfo<ResultFile<TRow>> type)
    {
        if (!File.Exists(file)) return new([]);
        if (new FileInfo(file).Length is > MaxBytes and long length) throw BadInputException.At(file, "its end", $"at most {MaxBytes} bytes", $"{length}");
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), type) is { Rows: not null } read ? read : throw new JsonException("no rows");
        }
        catch (JsonException exception)
        {
            throw new BadInputException($"{file}: expected what pann reproduce wrote, found something else: {exception.Message}", exception);
        }
    }

    /// <summary>Writes a row into the file, in the place of the one of the same name or at the end. The file is read again, because another run may have written its own rows meanwhile.</summary>
    public static void Write(string file, TRow row, JsonTypeInfo<ResultFile<TRow>> type)
    {
        IReadOnlyList<TRow> rows = Read(file, type).Rows;
        CommonOptions.WriteJson(file, new ResultFile<TRow>(rows.Any(r => r.Name == row.Name) ? [.. rows.Select(r => r.Name == row.Name ? row : r)] : [.. rows, row]), type);
    }
}
