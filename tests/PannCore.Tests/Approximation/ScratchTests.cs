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
        foreach (string s in new[] { "composite:alpha=7,leak=0.1", "composite:alpha=14", "direct:256" })
        {
            var r0 = ActivationSpec.Parse(s).Build();
            long b = Stopwatch.GetTimestamp();
            var c0 = r0.Certificate;
            var e = c0.Evaluation;
            double l1 = Stopwatch.GetElapsedTime(b).TotalMilliseconds;
            var x = c0.OutOfRange;
            double l2 = Stopwatch.GetElapsedTime(b).TotalMilliseconds;
            string p = $"/tmp/cert-{s.Replace(':', '-')}.json";
            PolynomialFile.Write(p, r0);
            long g = Stopwatch.GetTimestamp();
            var v = PolynomialFile.Verify(p);
            o.WriteLine($"{s} {l1} {l2} verify {Stopwatch.GetElapsedTime(g).TotalMilliseconds} {v.Passed} {string.Join(";", v.Findings)}");
        }
    }
}
