namespace PannCore.Diagnostics;

/// <summary>Logits of one batch: of the two networks as wholes, and of each setting by setting and activation; and the first-order prediction by activation and image.</summary>
internal sealed record SwitchedLogits(float[] Ideal, float[] Pann, float[][][] Switched, double[][] FirstOrder)
{
    /// <summary>Logits just before and just after an activation is switched.</summary>
    public (float[] Before, float[] After) Around(SwitchSetting setting, int k)
    {
        float[][] logits = Switched[(int)setting];
        return setting switch
        {
            SwitchSetting.Forward => (k == 0 ? Ideal : logits[k - 1], logits[k]),
            SwitchSetting.Backward => (k == logits.Length - 1 ? Ideal : logits[k + 1], logits[k]),
            SwitchSetting.Alone => (Ideal, logits[k]),
            _ => (logits[k], Pann),
        };
    }
}
