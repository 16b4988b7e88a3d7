namespace Kv.Core.Quorum;

/// <summary>A write's quorum options as the client gave them; what it did not give takes the bucket's property.</summary>
public readonly record struct PutQuorumOptions
{
    public PutQuorumOptions()
    {
    }

    public int? NVal { get; init; }

    public QuorumValue W { get; init; } = QuorumValue.Default;

    public QuorumValue Dw { get; init; } = QuorumValue.Default;

    public QuorumValue Pw { get; init; } = QuorumValue.Default;

    public QuorumValue NodeConfirms { get; init; } = QuorumValue.Default;
}
