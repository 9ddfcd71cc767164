using PannCore.Diagnostics;

namespace PannCore.Cli;

/// <summary>A progress bar for each stage of an inspection, on standard error; silent where that is not a terminal.</summary>
internal static class StagedProgress
{
    public static RunRecord Run(int images, int layers, Func<Func<InspectionStage, IProgress<int>?>?, RunRecord> work)
    {
        if (Console.IsErrorRedirected) return work(null);
        return ProgressBar.Console().Start(context => work(stage => stage switch
        {
            InspectionStage.Predictions => ProgressBar.Task(context, "predictions", images),
            InspectionStage.Ledger => ProgressBar.Task(context, "error of every operation", images),
            InspectionStage.Arithmetic => ProgressBar.Task(context, "other arithmetic", images),
            _ => ProgressBar.Task(context, "switching layer by layer", layers),
        }));
    }
}
