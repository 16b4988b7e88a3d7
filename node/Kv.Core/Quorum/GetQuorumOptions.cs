namespace Kv.Core.Quorum;

/// <summary>A read's quorum options as the client gave them; what it did not give takes the bucket's property.</summary>
public readonly record struct GetQuorumOptions
{
    public GetQuorumOptions()
    {
    }

    public int? NVal { get; init; }

    public QuorumValue R { get; init; } = QuorumValue.Default;

    public QuorumValue Pr { get; init; } = QuorumValue.Default;

    public QuorumValue NodeConfirms { get; init; } = QuorumValue.Default;

    public bool? BasicQuorum { get; init; }

    public bool? NotFoundOk { get; init; }
}
