using BenchmarkDotNet.Running;
using PannCore.Perf;

if (args is ["limits", .. var words]) return Limits.Run(words);
// A wrong result, found before it is timed, is an error of its case and of the run.
return BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args).Any(summary => summary.HasCriticalValidationErrors || summary.Reports.Any(report => !report.Success)) ? 1 : 0;
