using Kv.Core.Quorum;

namespace Kv.Simulation.Plans;

/// <summary>Draws the options that a request may have; a few contradict the bucket, and are to be refused.</summary>
internal static class CallOptions
{
    public static ClientCall Draw(Random random, ClientCall call, int nVal)
    {
        bool Chance(double chance) => random.NextDouble() < chance;
        QuorumValue Quorum(int least) => Chance(0.6) ? QuorumValue.Default : Chance(0.5) ? QuorumValue.Quorum : QuorumValue.Of(random.Next(least, nVal + 1));
        var drawn = call with
        {
            R = Quorum(1),
            Pr = Quorum(0),
            W = Quorum(1),
            Dw = Quorum(0),
            Pw = Quorum(0),
            NodeConfirms = Chance(0.9) ? QuorumValue.Default : QuorumValue.Of(random.Next(0, nVal + 1)),
            NVal = Chance(0.95) ? null : random.Next(1, nVal + 1),
            BasicQuorum = Chance(0.8) ? null : Chance(0.5),
            NotFoundOk = Chance(0.8) ? null : Chance(0.5),
            Sloppy = !Chance(0.15),
            Timeout = Chance(0.8) ? null : TimeSpan.FromMilliseconds(random.Next(1, 3000)),
            DiesAfter = Chance(0.9) ? null : TimeSpan.FromMilliseconds(random.Next(0, 20)),
        };
        return drawn;
    }

    /// <summary>Draws what else a request of its kind may say: how much it wants to be told, and the rarer ways to write.</summary>
    public static ClientCall DrawForm(Random random, ClientCall call, BucketPlan type)
    {
        bool Chance(double chance) => random.NextDouble() < chance;
        return call.Verb switch
        {
            ClientVerb.Get => Chance(0.5) ? call with { HeadOnly = true } : call with { IfModified = true },
            ClientVerb.Delete => call with { Rw = Chance(0.5) ? QuorumValue.All : QuorumValue.Of(random.Next(1, type.NVal + 1)) },
            _ when Chance(0.15) && type.Rule != BucketRule.Set => call with { AsIs = true, ReturnBody = Chance(0.3) },
            _ => Chance(0.7) ? call with { ReturnBody = true } : call with { ReturnHead = true },
        };
    }
}
