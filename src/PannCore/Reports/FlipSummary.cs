using PannCore.Diagnostics;

namespace PannCore.Reports;

/// <summary>The changed predictions of a record, counted.</summary>
internal sealed class FlipSummary
{
    public FlipSummary(RunRecord record)
    {
        foreach (Flip flip in record.Flips)
        {
            if (flip.Pann < 0) NotFinite++;
            if (flip.Ideal == flip.Label) RightToWrong++;
            else if (flip.Pann == flip.Label) WrongToRight++;
            else WrongToWrong++;
        }

        Classes = [.. record.Flips.SelectMany(f => new[] { f.Ideal, f.Pann }).Where(c => c >= 0).Distinct().Order()
            .Select(c => new ClassFlips(NameOf(record, c), record.Flips.Count(f => f.Ideal == c), record.Flips.Count(f => f.Pann == c)))];
    }

    public int RightToWrong { get; }

    public int WrongToRight { get; }

    public int WrongToWrong { get; }

    public int NotFinite { get; }

    public IReadOnlyList<ClassFlips> Classes { get; }

    /// <summary>The class most changed predictions end in, where it takes ten of them or more, and at least a third of all.</summary>
    public ClassFlips? Sink => Classes.Where(c => c.Arrived >= 10 && 3 * c.Arrived >= Classes.Sum(k => k.Arrived)).MaxBy(c => c.Arrived);

    public static string NameOf(RunRecord record, int index)
        => index < 0 ? "not finite" : index < record.ClassNames.Count ? Figures.Name(record.ClassNames[index]) : $"class {Figures.Count(index)}";
}

/// <summary>How many changed predictions left a class and how many ended in it.</summary>
internal sealed record ClassFlips(string Name, int Left, int Arrived);
