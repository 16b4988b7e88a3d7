namespace Kv.Core.MapReduce;

/// <summary>One step of a job.</summary>
/// <param name="Keep">Whether the client gets what comes out of it; by default of the last phase alone.</param>
public abstract record MapReducePhase(bool Keep)
{
    /// <summary>Whether the function is one of Riak's for JavaScript.</summary>
    public virtual bool IsJavaScript => false;

    /// <summary>Reads the object that each input names, and makes results of it.</summary>
    public sealed record Map(MapFunction Function, Term? Arg, bool Keep) : MapReducePhase(Keep)
    {
        public override bool IsJavaScript => Function.IsJavaScript;
    }

    /// <summary>Makes results of all inputs together.</summary>
    public sealed record Reduce(ReduceFunction Function, Term? Arg, int BatchSize, bool Keep) : MapReducePhase(Keep)
    {
        /// <summary>Riak's mapred_reduce_phase_batch_size.</summary>
        public const int DefaultBatchSize = 20;

        public override bool IsJavaScript => Function.IsJavaScript;
    }

    /// <summary>Reads the object that each input names, and follows its links.</summary>
    /// <param name="Bucket">Of the links to follow; null for any.</param>
    /// <param name="Tag">Of the links to follow; null for any.</param>
    /// <param name="Keep">As of any phase.</param>
    public sealed record Link(string? Bucket, string? Tag, bool Keep) : MapReducePhase(Keep);
}
