using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;

namespace PannCore.Diagnostics;

/// <summary>The ledger of a model in one call.</summary>
public static class ErrorLedgerRun
{
    extension(ErrorLedger)
    {
        /// <summary>The ledger of a PANN, over the images in which no polynomial explodes (<see cref="RangeProbe.Exploded"/>).</summary>
        /// <param name="model">The network.</param>
        /// <param name="images">The data set.</param>
        /// <param name="activation">What its activations become, such as <c>composite:alpha=9</c>.</param>
        /// <param name="ranges">The ranges' text: see <see cref="ActivationRanges"/>.</param>
        /// <param name="count">The first so many images.</param>
        /// <param name="margin">Factor on measured ranges.</param>
        /// <param name="patches">Single activations that are other functions: see <see cref="ActivationPatches"/>.</param>
        /// <param name="workspace">Threads and memory; by default its own, with one thread. The result does not depend on the number of threads.</param>
        /// <param name="progress">Told the number of images done.</param>
        /// <param name="cancellation">Stops between batches.</param>
        /// <exception cref="BadInputException">A text that is none, or ranges that the model has not.</exception>
        public static ErrorLedger Run(
            PannModel model, Cifar10 images, string activation, string ranges = "layer", int count = int.MaxValue, double margin = PannModel.DefaultMargin,
            IReadOnlyList<string>? patches = null, Workspace? workspace = null, IProgress<int>? progress = null, CancellationToken cancellation = default)
        {
            ArgumentNullException.ThrowIfNull(model);
            ArgumentNullException.ThrowIfNull(images);
            return model.Ledger(images, activation, ranges, count, margin, patches ?? [], workspace, progress, cancellation);
        }
    }
}
