using System.Text;
using System.Text.Json;
using PannCore.Diagnostics;

namespace PannCore.Reports.Sections;

/// <summary>
/// What the map shows at each precision, for the script: texts as they are shown and steps of colour, so that nothing is computed or formatted a second time.
/// The writer escapes what HTML or XML could take for markup.
/// </summary>
internal static class PageData
{
    /// <summary>An object: <c>start</c>, the step shown first, and <c>steps</c>, each with its name, what is said of it, and for each cause a letter of colour and a text per operation.</summary>
    public static string Json(RunRecord record)
    {
        List<(double Order, Action<Utf8JsonWriter> Write)> steps = [.. (record.Sweep?.Steps ?? []).Where(s => s.Activation != record.Activation).Select(s => (s.Log2MaxError, (Action<Utf8JsonWriter>)(json => Step(json, record, s))))];
        int start = steps.TakeWhile(s => s.Order > record.Log2MaxError).Count();
        steps.Insert(start, (record.Log2MaxError, json => Inspected(json, record)));

        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            json.WriteNumber("start", start);
            json.WriteStartArray("steps");
            foreach (var (_, write) in steps)
            {
                json.WriteStartObject();
                write(json);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void Inspected(Utf8JsonWriter json, RunRecord record)
    {
        int levels = record.Sweep?.Steps.FirstOrDefault(s => s.Activation == record.Activation)?.Levels ?? 0;
        Say(json, record.Activation, "as inspected", record.PannAccuracy, record.Flips.Count, record.Images, record.Log2MaxError, levels, record.ExplodedImages,
            IndexOf(record, record.Activation), ledgerImages: 0);
        Values(json, "total", record.Operations.Select(o => (double?)o.RelativeTotal));
        Values(json, "injected", record.Operations.Select(o => (double?)o.RelativeInjected));
        Values(json, "inherited", record.Operations.Select(o => (double?)o.RelativeInherited));
    }

    private static void Step(Utf8JsonWriter json, RunRecord record, SweepStep step)
    {
        Say(json, step.Activation, null, step.Accuracy, step.Changed, record.Sweep!.Images, step.Log2MaxError, step.Levels, step.ExplodedImages, IndexOf(record, step.Activation), record.Sweep!.LedgerImages);
        Dictionary<string, SweepOperation> operations = SweepSection.Lookup(step);
        IEnumerable<double?> Of(Func<SweepOperation, double> value) => record.Operations.Select(o => operations.TryGetValue(o.Path, out SweepOperation? s) ? value(s) : (double?)null);
        Values(json, "total", Of(o => o.Total));
        Values(json, "injected", Of(o => o.Injected));
        Values(json, "inherited", Of(o => o.Inherited));
    }

    private static int IndexOf(RunRecord record, string activation)
        => (record.Sweep?.Steps ?? []).Select((s, k) => (s.Activation, k)).Where(s => s.Activation == activation).Select(s => s.k).DefaultIfEmpty(-1).First();

    private static void Say(Utf8JsonWriter json, string activation, string? remark, double accuracy, int changed, int images, double log2MaxError, int levels, int exploded, int row, int ledgerImages)
    {
        string name = PlainText.Harmless(Figures.Name(activation));
        json.WriteString("name", name);
        json.WriteNumber("row", row); // of the heat map
        json.WriteString("accuracy", Figures.Accuracy(accuracy).Replace(" %", "\u00A0%", StringComparison.Ordinal));
        json.WriteString("say", $"right with {name}{(remark is null ? "" : $" ({remark})")}, {Figures.Count(changed)} of {Figures.Count(images, "prediction")} changed; largest error {Figures.Bound(log2MaxError)} of B"
            + (levels > 0 ? $", {Figures.Count(levels, "level")} an activation" : "") + (exploded > 0 ? $"; {Figures.Count(exploded, "image")} exploded" : "")
            + (ledgerImages > 0 ? $"; errors of the first {Figures.Count(ledgerImages, "image")} that do not explode" : ""));
    }

    private static void Values(Utf8JsonWriter json, string cause, IEnumerable<double?> ratios)
    {
        double?[] all = [.. ratios];
        json.WriteStartObject(cause);
        json.WriteString("colours", string.Concat(all.Select(Heat.Step)));
        json.WriteStartArray("texts");
        foreach (double? ratio in all) json.WriteStringValue(Heat.Text(ratio).Replace(" %", "\u00A0%", StringComparison.Ordinal));
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
