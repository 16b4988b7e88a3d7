namespace Kv.Chaos.Faults;

/// <summary>
/// Draws faults from a seed: episodes of one fault or two, each followed by some calm, until the time is up. Kinds come as cards from a shuffled
/// pack, so that each has been there before one is there twice. The same seed, time and kinds give the same faults at the same moments; what
/// the processes make of them is not repeated to the instruction.
/// </summary>
internal static class FaultSchedule
{
    private const double WarmUpSeconds = 6;
    private const double CalmAtTheEndSeconds = 4;
    private static readonly int[] ClockJumps = [-3600, -60, -5, 5, 60, 3600];

    public static IReadOnlyList<Fault> Draw(int seed, double seconds, int nodes, IReadOnlyList<FaultKind> kinds)
    {
        var random = new Random(seed);
        var pack = new Queue<FaultKind>();
        var faults = new List<Fault>();
        var at = WarmUpSeconds;
        while (true)
        {
            Fill(pack, random, kinds);
            var first = pack.Dequeue();
            var length = LengthOf(first, random);
            if (at + length > seconds - CalmAtTheEndSeconds)
            {
                return faults;
            }

            var ranks = Enumerable.Range(0, nodes).ToArray();
            random.Shuffle(ranks);
            faults.Add(Make(first, at, length, ranks, random));
            if (!IsAlone(first) && random.Next(100) < 35 && pack.TryPeek(out var second) && !IsAlone(second))
            {
                pack.Dequeue();
                var offset = random.NextDouble() * 3;
                var secondLength = Math.Min(LengthOf(second, random), seconds - CalmAtTheEndSeconds - at - offset);
                faults.Add(Make(second, at + offset, secondLength, [.. ranks.Reverse()], random));
                length = Math.Max(length, offset + secondLength);
            }

            at += length + 3 + (random.NextDouble() * 5);
        }
    }

    private static void Fill(Queue<FaultKind> pack, Random random, IReadOnlyList<FaultKind> kinds)
    {
        if (pack.Count > 0)
        {
            return;
        }

        var cards = kinds.ToArray();
        random.Shuffle(cards);
        foreach (var card in cards)
        {
            pack.Enqueue(card);
        }
    }

    /// <summary>Whether nothing else should be going on with it.</summary>
    private static bool IsAlone(FaultKind kind) => kind is FaultKind.KillAll;

    private static double LengthOf(FaultKind kind, Random random) => kind switch
    {
        FaultKind.KillAll => 1 + (random.NextDouble() * 2),
        FaultKind.RollingRestart => 15,
        FaultKind.Scale or FaultKind.LoseVolume or FaultKind.BitRot => 4,
        _ => 4 + (random.NextDouble() * 10),
    };

    private static Fault Make(FaultKind kind, double at, double length, int[] ranks, Random random)
    {
        var (count, amount) = kind switch
        {
            FaultKind.KillAll => (0, 0),
            FaultKind.KillSeveral => (2, 0),
            FaultKind.Pause or FaultKind.SlowLink => (random.Next(1, 3), 0),
            FaultKind.Split => (random.Next(1, (ranks.Length / 2) + 1), 0),
            FaultKind.Deaf => (random.Next(2, 4), 0),
            FaultKind.LossyLink => (random.Next(1, 3), random.Next(5, 40)),
            FaultKind.ClockJump => (1, ClockJumps[random.Next(ClockJumps.Length)]),
            FaultKind.RollingRestart => (3, 0),
            FaultKind.Scale => (2, 0),
            FaultKind.BitRot => (1, random.Next()),
            _ => (1, 0),
        };
        return new Fault(kind, at, length, ranks[..count], amount);
    }
}
