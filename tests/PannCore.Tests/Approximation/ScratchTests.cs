using PannCore.Approximation;
using System.Diagnostics;
using Xunit;
using Xunit.Abstractions;

namespace PannCore.Tests.Approximation;

public sealed class ScratchTests(ITestOutputHelper o)
{
    [Fact]
    public void Print()
    {
        foreach (string s in Enumerable.Range(4, 11).Select(a => $"composite:alpha={a}").Concat(["composite:31,31,33", "direct:2", "direct:64", "direct:128", "direct:256"]))
        {
            var r0 = ActivationSpec.Parse(s).Build();
            double best = 1e9;
            for (int i = 0; i < 3; i++)
            {
                long a = Stopwatch.GetTimestamp();
                var cert = Certificate.Of(r0, r0.Certificate.Stages.Select((c, j) => StageCertificate.Of(r0.Stages[j], c.Lo, c.Hi, c.ReferencePoints)).ToArray());
                best = Math.Min(best, Stopwatch.GetElapsedTime(a).TotalMilliseconds);
            }
            long b = Stopwatch.GetTimestamp();
            var c0 = r0.Certificate;
            var e = c0.Evaluation;
            var x = c0.OutOfRange;
            double lazy = Stopwatch.GetElapsedTime(b).TotalMilliseconds;
            long g = Stopwatch.GetTimestamp();
            ActivationSpec.Parse(s).Build();
            double gen = Stopwatch.GetElapsedTime(g).TotalMilliseconds;
            o.WriteLine(FormattableString.Invariant($"{s}: cert {best:f1} ms, lazy {lazy:f1} ms, generate {gen:f1} ms; log2 {Math.Log2(c0.MaxError):f4} ratio {c0.MaxError / c0.ScannedError:f6} rounding {c0.Rounding:g3} objection {c0.Objection}; gap {c0.WithinGap?.Found:g5} {c0.WithinGap?.At:g4} {c0.BeyondGap?.Found:g5} of {c0.WithinGap?.Hi:g3}"));
            o.WriteLine(FormattableString.Invariant($"   f32 {e.Float32.Found:g3} <= {e.Float32.Bound:g3}; ") + string.Join("; ", e.FixedPoint.Select(f => FormattableString.Invariant($"{f.FractionBits}{f.Rounding.ToString()[0]} {f.Found:g3} <= {f.Bound:g3}"))));
            o.WriteLine("   " + string.Join("; ", x.Samples.Select(q => FormattableString.Invariant($"{q.T}: {q.Value:g3} ({q.RelativeError:g3})"))) + FormattableString.Invariant($" cliffs {x.CliffAbove:g4} {x.CliffBelow:g4}"));
            o.WriteLine("   " + string.Join("; ", c0.Stages.Select(q => FormattableString.Invariant($"lev {q.LevelledError:g8} found {q.ScannedError:g8} proved {q.ProvedError:g8} rnd {q.Rounding:g3}"))));
        }
    }
}
