#:property PublishAot=false
#:project ../PannCore/PannCore.csproj

// Where does a network go wrong when its ReLUs become polynomials, and what if that place were exact?
// In the repository's root: dotnet run -c Release src/examples/inspect.cs [images [folder for the results]]

using System.Globalization;
using PannCore;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Reports;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
int count = args.Length > 0 ? int.Parse(args[0]) : 64;
string folder = args.Length > 1 ? args[1] : ".";
const string Activation = "composite:alpha=8", Ranges = "global";

PannModel model = PannModel.Load("data/models/resnet20.safetensors");
Cifar10 images = Cifar10.ReadFile("data/cifar-10-sample.bin");
using var workspace = new Workspace(Environment.ProcessorCount); // Without one, one thread does the same.

// 1. The ledger: for every operation, the error that is made there and the error that was there already.
ErrorLedger ledger = ErrorLedger.Run(model, images, Activation, Ranges, count, workspace: workspace);
OperationRecord worst = ledger.Operations.MaxBy(line => RelativeError.Of(line).Injected)!;
Console.WriteLine($"{Activation}, {Ranges}: most error enters at {worst.Path}, {RelativeError.Of(worst).Injected:P1} of the signal; {ledger.Operations.Count} operations, identity to {ledger.IdentityResidual:E1}");
foreach (CheckRecord check in ledger.Checks) Console.WriteLine($"  {(check.Passed ? "holds" : "FAILS")}: {check.Name}");

// 2. What if: everything about the network as it is, and with the ideal function at that one activation.
RunRecord before = model.Inspect(images, Activation, Ranges, count, workspace: workspace);
RunRecord after = model.Inspect(images, Activation, Ranges, count, patches: [$"{worst.Path}=relu"], studies: [], workspace: workspace);
Console.WriteLine($"{before.PannAccuracy:F1} % right, {after.PannAccuracy:F1} % with {worst.Path} exact, {before.IdealAccuracy:F1} % with all exact");
foreach (string line in ComparisonReport.Summary(RecordComparison.Of(before, after))) Console.WriteLine(line);

// 3. Other precisions of the same network.
foreach (SweepStep step in before.Sweep!.Steps) Console.WriteLine($"  {step.Activation}: {step.Accuracy:F1} % right at {step.Levels} levels an activation");

// 4. The same record as JSON (data/schema has its schema) and as a page for a browser.
AtomicFile.Write(Path.Combine(folder, "inspection.json"), stream => RunRecordJson.Write(stream, before));
using var page = new StringWriter();
HtmlReport.Write(page, before);
File.WriteAllText(Path.Combine(folder, "inspection.html"), page.ToString());
Console.WriteLine($"Written: {Path.Combine(folder, "inspection.json")} and {Path.Combine(folder, "inspection.html")}");
