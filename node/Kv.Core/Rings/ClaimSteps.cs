namespace Kv.Core.Rings;

/// <summary>
/// Steps of prices, each of a length of its own (Adam's): as long as the rate where a share stays on one side of what is wanted, next to nothing where it swings about it. The rate halves as the rounds go by.
/// </summary>
/// <param name="count">How many prices.</param>
/// <param name="rate">The first rate.</param>
/// <param name="rounds">Rounds in which it falls to the last.</param>
internal sealed class ClaimSteps(int count, double rate, int rounds)
{
    /// <summary>The last rate is a thousandth of the first: so short that the scatter tells places apart.</summary>
    private const int Halvings = 10;

    /// <summary>What the mean and the mean square keep of themselves from round to round.</summary>
    private const double MeanKeeps = 0.8;

    private const double SquareKeeps = 0.95;

    private readonly double[] _mean = new double[count];
    private readonly double[] _square = new double[count];
    private int _round;

    /// <summary>Changes prices by how far their shares are off; no farther than to <paramref name="least"/> and <paramref name="most"/>.</summary>
    public void Take(double[] prices, double[] off, double least, double most)
    {
        // A power of two, so that the sums are the same on every machine.
        var length = rate / (1 << (_round * Halvings / rounds));
        for (var i = 0; i < prices.Length; i++)
        {
            _mean[i] = (MeanKeeps * _mean[i]) + ((1 - MeanKeeps) * off[i]);
            _square[i] = (SquareKeeps * _square[i]) + ((1 - SquareKeeps) * off[i] * off[i]);
            prices[i] = Math.Clamp(prices[i] + (length * _mean[i] / Math.Max(1, Math.Sqrt(_square[i]))), least, most);
        }

        _round++;
    }
}
