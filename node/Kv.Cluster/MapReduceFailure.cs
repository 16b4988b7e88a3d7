namespace Kv.Cluster;

/// <summary>Why a MapReduce job ended early.</summary>
public abstract record MapReduceFailure
{
    private MapReduceFailure()
    {
    }

    /// <summary>Its time is over, or one of its inputs or reads failed.</summary>
    public sealed record OfRequest(KvError Error) : MapReduceFailure;

    /// <summary>A phase's function cannot take what came to it. <paramref name="Phase"/> counts from 0; <paramref name="Input"/> shows what it was given, null for a reduce phase's many.</summary>
    public sealed record OfPhase(int Phase, string Reason, string? Input) : MapReduceFailure;

    /// <summary>An input names a bucket that the client may not read.</summary>
    public sealed record Denied(string Reason) : MapReduceFailure;

    /// <summary>It would hold more than <paramref name="MostBytes"/> at once.</summary>
    public sealed record TooMuch(long MostBytes) : MapReduceFailure;

    /// <summary>One result has more than <paramref name="MostBytes"/>, which no part of an answer has.</summary>
    public sealed record TooLong(long MostBytes) : MapReduceFailure;
}
