using BenchmarkDotNet.Running;
using PannCore.Perf;

if (args is ["limits", .. var words]) return Limits.Run(words);
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
