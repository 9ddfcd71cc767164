using PannCore.Diagnostics;

namespace PannCore.Tests.Reports;

/// <summary>
/// A record shaped like a ResNet-20 under <c>composite:alpha=8 --ranges global</c>: 70 operations, 19 of them activations. Its figures
/// come from a formula, not from a run: they only have to be of the right kind and size.
/// </summary>
internal static class SampleRecord
{
    private const double Range = 22.1, Log2MaxError = -8.04;

    public static readonly string[] ClassNames = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <summary>Names as a file may hold them that nobody made for reading.</summary>
    public static readonly string[] HostileNames =
    [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)", "&lt;&amp;&#0;", "]]>", "--><b>", "</style></svg></title>",
        "a\0b\u001b[31mc\u0085", "lone \uD800 surrogate", "left\u202Eright", "https://example.org/x.js", new string('x', 10_000), "", "...",
    ];

    public static RunRecord Create()
    {
        List<OperationRecord> operations = [.. Operations()];
        List<LayerShare> layers = [.. operations.Where(o => o.Range is not null).Select((o, i) => new LayerShare(
            o.Path, -0.02 - 0.011 * i - 0.5 * Math.Pow(Math.Sin(i * 1.3), 4) + (i == 17 ? 1.1 : 0), 0.05 + 0.04 * i, Math.Round(92.1 - 30.8 * Math.Pow(i / 18.0, 2), 1)))];
        List<Flip> flips = [.. Enumerable.Range(0, 320).Select(i => new Flip(3 * i + 1, i % 10, i % 9 == 4 ? (i + 1) % 10 : i % 10, i % 3 == 0 ? 6 : i % 9 == 4 ? i % 10 : (i * 7 + 3) % 10))
            .Where(f => f.Ideal != f.Pann)];
        return new RunRecord(
            Schema: RunRecord.CurrentSchema,
            Title: "Error of every operation: resnet20 with composite:alpha=8, one range",
            Command: "pann inspect --model data/resnet20.safetensors --activation composite:alpha=8 --ranges global --images 1000 --out report.html",
            Model: "resnet20.safetensors",
            Architecture: "resnet20",
            Activation: "composite:alpha=8",
            Ranges: "global",
            Images: 1000,
            IdealAccuracy: 92.1,
            PannAccuracy: 61.3,
            NonFiniteImages: 0,
            ExplodedImages: 0,
            OutOfRangeImages: 2,
            Log2MaxError,
            ErrorCurve: Curve(),
            Operations: operations,
            IdentityResidual: 3.1e-16,
            Checks:
            [
                new CheckRecord("|approximation| within B E inside the range", true, "tightest at layer1.0.relu2: 0.0838 of at most 0.0839"),
                new CheckRecord("|arithmetic| within its rounding bound", true, "tightest at layer3.2.conv2: 0.31 of the bound"),
                new CheckRecord("inherited of a linear map = the map applied to the input error", true, "largest difference 2.2e-15 at linear"),
                new CheckRecord("|inherited| of ReLU at most |input error|", true, "equal at 41 % of the elements"),
            ],
            Layers: layers,
            Flips: flips,
            ClassNames,
            new Dictionary<string, string> { ["data"] = "cifar-10-sample.bin" });
    }

    /// <summary>The same network where the polynomial leaves its range, ends in values that are not finite, and fails a check.</summary>
    public static RunRecord Broken()
    {
        RunRecord record = Create();
        OperationRecord[] operations = [.. record.Operations.Select((o, i) => i switch
        {
            < 26 => o,
            26 => o with { OutOfRange = 3, LargestInput = 26.4, Approximation = new ErrorSize(4.1e163, 2.2e160, -1e158), Total = new ErrorSize(4.1e163, 2.2e160, -1e158) },
            _ => o with { NonFinite = 1024, Total = new ErrorSize(double.PositiveInfinity, double.PositiveInfinity, double.NaN), Inherited = new ErrorSize(double.PositiveInfinity, double.PositiveInfinity, double.NegativeInfinity), SqnrDb = double.NegativeInfinity, Gain = double.NaN, LargestInput = o.LargestInput is null ? null : double.PositiveInfinity },
        })];
        return record with
        {
            Operations = operations,
            NonFiniteImages = 1,
            PannAccuracy = 10,
            IdentityResidual = double.NaN,
            Checks = [.. record.Checks.Take(1), new CheckRecord("|arithmetic| within its rounding bound", false, "conv2d at layer2.1.conv1, element 17: 0.4 of at most 0.1"), new CheckRecord("identity", false, "largest residual 0.5 of the largest term")],
            Flips = [.. record.Flips.Take(20), new Flip(999, 1, 1, -1)],
            ErrorCurve = [.. record.ErrorCurve, new CurvePoint(1, double.NegativeInfinity)],
        };
    }

    /// <summary>The first record with every study that a report can show.</summary>
    public static RunRecord Full() => SampleStudies.AddedTo(Create());

    /// <summary>A run with ideal activations: no polynomial anywhere, only rounding.</summary>
    public static RunRecord Relu()
    {
        RunRecord record = Create();
        ErrorSize none = new(0, 0, 0);
        return record with
        {
            Activation = "relu",
            PannAccuracy = record.IdealAccuracy,
            Log2MaxError = double.NegativeInfinity,
            ErrorCurve = [],
            OutOfRangeImages = 0,
            Operations = [.. record.Operations.Select(o => o with { Approximation = none, Inherited = o.Arithmetic, Total = o.Arithmetic, Range = null, OutOfRange = 0 })],
            Layers = [],
            Flips = [],
        };
    }

    /// <summary>The full record with names that would be markup, script, an address or a page long if they were taken for more than text.</summary>
    public static RunRecord Hostile()
    {
        RunRecord record = Full();
        string Name(int i) => HostileNames[i % HostileNames.Length];
        string[] paths = [.. record.Operations.Select((_, i) => Name(i))];
        return record with
        {
            Title = HostileNames[0],
            Command = HostileNames[1],
            Model = HostileNames[2],
            Architecture = HostileNames[3],
            Activation = HostileNames[4],
            Ranges = HostileNames[5],
            Ideal = HostileNames[6],
            Diagnoses = [.. HostileNames.Where(n => n.Length < 200)],
            Patches = HostileNames.Where(n => n.Length > 0).ToDictionary(n => n, n => n),
            Provenance = HostileNames.Where(n => n.Length < 200).ToDictionary(n => n, n => n),
            Operations = [.. record.Operations.Select((o, i) => o with { Path = paths[i], Op = Name(i + 1) })],
            Checks = [.. HostileNames.Take(11).Select((n, i) => new CheckRecord(n, i % 2 == 0, n))],
            Layers = [.. HostileNames.Select(n => new LayerShare(n, -1, 1, 50))],
            ClassNames = HostileNames,
            Flips = [.. record.Flips.Take(4).Select((f, i) => f with { Label = i, Ideal = i, Pann = i + 1, FlippedAt = Name(i) }),
                .. HostileNames.Select((n, i) => new Flip(i, 0, i, i + 1) { FlippedAt = n }), new Flip(int.MaxValue, -7, int.MaxValue, int.MinValue)],
            Causes = record.Causes! with { Layers = [.. record.Causes.Layers.Select((l, i) => l with { Path = Name(i) })] },
            Inside = [.. record.Inside!.Select((p, i) => p with { Path = Name(i), Activation = Name(i + 1) })],
            Ranging = record.Ranging! with
            {
                Layers = [.. record.Ranging.Layers.Select((l, i) => l with { Path = Name(i) })],
                Nearest = [.. record.Ranging.Nearest.Select((n, i) => n with { Path = Name(i) })],
                Cliff = record.Ranging.Cliff! with { PredictedPath = Name(0), FoundPath = Name(1) },
                Stress = [.. HostileNames.Select(n => new StressImage(n, 0.5, n, false))],
                Search = record.Ranging.Search! with { Path = Name(2) },
            },
            Bounds = record.Bounds! with { Operations = [.. record.Bounds.Operations.Select((o, i) => o with { Path = paths[i], Op = Name(i + 1) })], VacuousAt = Name(1) },
            Sweep = record.Sweep! with
            {
                Steps = [.. record.Sweep.Steps.Select((s, k) => s with { Activation = Name(k), Operations = [.. s.Operations.Select((o, i) => o with { Path = paths[i] })] })],
            },
            OtherArithmetic = record.OtherArithmetic! with
            {
                Name = Name(0),
                WrapArounds = [.. HostileNames.Select(n => new WrapAround(n, n, 1, 1))],
                Operations = [.. record.OtherArithmetic.Operations.Select((o, i) => o with { Path = paths[i], Op = Name(i + 1) })],
            },
        };
    }

    /// <summary>A record of a run that found nothing at all.</summary>
    public static RunRecord Empty() => Create() with { Images = 0, ErrorCurve = [], Operations = [], Checks = [], Layers = [], Flips = [], ClassNames = [] };

    private static IEnumerable<OperationRecord> Operations()
    {
        List<(string Path, string Op)> names = [("conv1", "conv2d"), ("bn1", "batchnorm2d"), ("relu1", "activation")];
        for (int stage = 1; stage <= 3; stage++)
            for (int block = 0; block < 3; block++)
            {
                string at = $"layer{stage}.{block}.";
                names.AddRange([(at + "conv1", "conv2d"), (at + "bn1", "batchnorm2d"), (at + "relu1", "activation"), (at + "conv2", "conv2d"), (at + "bn2", "batchnorm2d")]);
                if (stage > 1 && block == 0) names.Add((at + "shortcut", "pad_shortcut"));
                names.AddRange([(at + "add", "add"), (at + "relu2", "activation")]);
            }

        names.AddRange([("avgpool", "avgpool2d"), ("linear", "linear")]);

        double error = 0; // relative to the signal
        int activations = 0;
        for (int i = 0; i < names.Count; i++)
        {
            (string path, string op) = names[i];
            bool activation = op == "activation";
            double wave = Math.Sin(1.7 * i), signal = 0.7 + 0.5 * Math.Cos(0.9 * i), rounding = (5 + 2 * wave) * 1e-8;
            double passed = error * (activation ? 0.82 : 1.02 + 0.1 * wave);
            double injected = activation ? 0.031 + 0.02 * Math.Sin(2.3 * activations) + 0.001 * activations : 0;
            double total = Math.Sqrt(passed * passed + injected * injected + 0.7 * passed * injected + rounding * rounding);
            double? gain = error == 0 ? null : passed / error;
            yield return new OperationRecord(
                path,
                op,
                Size(total, -0.35, signal),
                Size(injected, -0.78, signal),
                Size(rounding, 0.01, signal),
                Size(passed, -0.25, signal),
                signal,
                total == 0 ? double.PositiveInfinity : -20 * Math.Log10(total),
                gain,
                activation ? 0.48 + 0.1 * wave : null,
                activation ? 0.57 + 0.08 * wave : null,
                activation ? -injected * signal * 0.8 : null,
                activation ? -injected * signal * 0.75 : null,
                activations == 18 && activation ? 5 : 0,
                activation ? (activations == 18 ? 22.4 : 2.6 + 0.2 * activations + wave) : null,
                activation ? Range : null,
                0,
                (2 + wave) * 1e-16);
            error = total;
            if (activation) activations++;
        }
    }

    private static ErrorSize Size(double relative, double bias, double signal) => new(6.5 * relative * signal, relative * signal, bias * relative * signal);

    private static CurvePoint[] Curve()
        => [.. Enumerable.Range(0, 2001).Select(i => i / 1000.0 - 1).Select(x => new CurvePoint(x, -Math.Abs(x) * double.Exp2(Log2MaxError) * (0.5 - 0.5 * Math.Cos(40 * Math.Sqrt(Math.Abs(x))))))];
}
