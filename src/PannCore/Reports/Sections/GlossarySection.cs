using PannCore.Diagnostics;

namespace PannCore.Reports.Sections;

/// <summary>The words of the page, and how to make it again.</summary>
internal static class GlossarySection
{
    private static readonly (string Word, string Meaning)[] Words =
    [
        ("PANN", "Polynomial approximation of a neural network: a trained network in which every function that is no polynomial, here the activations, has been replaced by one. Encrypted computation can only add and multiply, so this is the form a network must take to run under homomorphic encryption or multiparty computation."),
        ("Ideal network", "What every error is measured against, evaluated in double precision: where nothing else is said, the same weights with the activation functions that the polynomials stand for, usually ReLU. Its accuracy is that of the same network in float32."),
        ("Injected", "Error that is made at this operation, on the input that really arrived."),
        ("Approximation", "The injected part that comes from another function in the place of the ideal one: at an activation, the polynomial; beside another model, also other weights."),
        ("Arithmetic", "The injected part that comes from rounding to float32 numbers."),
        ("Inherited", "Error that was already in the input, after the ideal function of this operation has acted on it. Nothing at this operation caused it."),
        ("RMS", "Root mean square: the typical size of a value, whatever its sign."),
        ("Signal", "The RMS of the ideal output of the operation. An error of 100 % of the signal is as large as what it disturbs."),
        ("Signal to noise (SQNR)", "In decibels, 10 log10 (sum of squared signal / sum of squared error). 6 dB are one bit."),
        ("Gain", "RMS of the inherited error over RMS of the error in the input: above 1 the operation enlarges what it is handed, below 1 it shrinks it."),
        ("Bias", "The mean of an error. Random errors average out over the many inputs of the next layer; a bias points the same way everywhere and adds up. |mean| / RMS says how much of an error is bias: 1 is all of it."),
        ("Range B", "The polynomial is close to the ideal function on [-B, B] only. Its absolute error is proportional to B; outside, it is no approximation at all."),
        ("Exploded image", "An image in which some polynomial answered beyond twice its range, or whose logits are not finite. It counts in the accuracies and among the changed predictions; error sizes leave it out, because one such value would drown all others."),
        ("Precision 2^-alpha", "The largest error of the polynomial on [-1, 1], so B times 2^-alpha on [-B, B]. One more alpha is one more bit and, in general, a deeper polynomial."),
        ("Margin", "The lead of the predicted class: its logit minus the largest other logit. Below 0 the prediction changes."),
        ("Accumulated", "The difference between whole runs of the network up to an operation, say polynomials in float64 less the ideal network. What is injected is made at one operation; what has accumulated was made at all of them so far. The two are never added."),
        ("Cosine", "How alike the working and the ideal output point, whatever their size: 1 is the same direction, 0 is unrelated."),
        ("Headroom", "Range B over the largest input that came. Below 1 an input was outside."),
        ("Proved bound", "A limit that the error cannot exceed, by proof; afterwards means computed along with an image, beforehand means from weights, ranges and certificates alone."),
        ("Interaction", "How much one activation's part in the answer depends on whether the others are polynomials already."),
        ("1.23e-7", "Short for 1.23 times ten to the power -7, that is 0.000000123."),
    ];

    public static void Write(Markup page, RunRecord record)
    {
        using (page.Open("dl", ("class", "words")))
        {
            foreach (var (word, meaning) in Words)
            {
                using var entry = page.Open("div");
                page.Element("dt", word);
                page.Element("dd", meaning);
            }
        }

        page.Element("h3", record.Command.Length > 0 ? "Make this report again" : "What was inspected");
        if (record.Command.Length > 0) page.Element("pre", record.Command);
        page.Element("p", $"Model {record.Model}, architecture {record.Architecture}, activation {record.Activation}, ranges {record.Ranges}, {Figures.Count(record.Images, "image")}.", ("class", "note"));
        if (record.Provenance.Count == 0) return;
        using var list = page.Open("dl");
        foreach ((string name, string value) in record.Provenance)
        {
            page.Element("dt", name);
            page.Element("dd", value);
        }
    }
}
