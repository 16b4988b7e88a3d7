namespace Kv.Core.Quorum;

/// <summary>
/// Resolves the quorums of one request. Violations are told in Riak's order: first what cannot be read, then what exceeds n_val. A property above a lowered n_val
/// is cut to it: only what the request itself asks for can be too much.
/// </summary>
internal sealed class QuorumResolver
{
    private readonly int bucketNVal;
    private readonly bool nValIsBad;
    private string? unreadable;
    private bool exceeds;

    public QuorumResolver(int bucketNVal, int? requestNVal)
    {
        this.bucketNVal = bucketNVal;
        nValIsBad = requestNVal is { } asked && (asked < 1 || asked > bucketNVal);
        NVal = nValIsBad ? bucketNVal : requestNVal ?? bucketNVal;
    }

    public int NVal { get; }

    public QuorumFailure? Failure =>
        nValIsBad ? new QuorumFailure.NValViolation(bucketNVal)
        : unreadable is not null ? new QuorumFailure.ValueViolation(unreadable)
        : exceeds ? new QuorumFailure.NValViolation(NVal)
        : null;

    public int Resolve(string option, QuorumValue asked, QuorumValue property)
    {
        if (asked.IsDefault && property.IsDefault)
        {
            unreadable ??= option;
            return 0;
        }

        var resolved = asked.Resolve(NVal, property);
        if (asked.IsDefault && NVal < bucketNVal)
        {
            return Math.Min(resolved, NVal);
        }

        exceeds |= resolved > NVal;
        return resolved;
    }
}
