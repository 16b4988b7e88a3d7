using System.Globalization;
using Kv.Core.Quorum;

namespace Kv.Simulation.Plans;

/// <summary>
/// A client's request: of the type <paramref name="Type"/>, the key <paramref name="Key"/>, both by place. A client does one thing at a time. It remembers what it
/// last saw of each key, and gives that as context where <paramref name="WithContext"/>.
/// </summary>
public sealed record ClientCall(int Number, TimeSpan At, int Client, int Node, int Type, int Key, ClientVerb Verb, bool WithContext) : PlannedEvent(Number, At)
{
    public QuorumValue R { get; init; } = QuorumValue.Default;

    public QuorumValue Pr { get; init; } = QuorumValue.Default;

    public QuorumValue W { get; init; } = QuorumValue.Default;

    public QuorumValue Dw { get; init; } = QuorumValue.Default;

    public QuorumValue Pw { get; init; } = QuorumValue.Default;

    /// <summary>Of a delete: what it names for the quorums that it does not.</summary>
    public QuorumValue Rw { get; init; } = QuorumValue.Default;

    public QuorumValue NodeConfirms { get; init; } = QuorumValue.Default;

    public int? NVal { get; init; }

    public bool? BasicQuorum { get; init; }

    public bool? NotFoundOk { get; init; }

    public bool Sloppy { get; init; } = true;

    public TimeSpan? Timeout { get; init; }

    /// <summary>Of a read: without the values.</summary>
    public bool HeadOnly { get; init; }

    /// <summary>Of a read: nothing where it is what the client saw.</summary>
    public bool IfModified { get; init; }

    /// <summary>Of a write: the client is told what is there after it.</summary>
    public bool ReturnBody { get; init; }

    /// <summary>Of a write: the same without the values.</summary>
    public bool ReturnHead { get; init; }

    /// <summary>A write that is stored as it comes, by no coordinator: nothing is promised of it, and it may be back after it was replaced.</summary>
    public bool AsIs { get; init; }

    /// <summary>The client dies this long after it asked, and does not hear what became of it.</summary>
    public TimeSpan? DiesAfter { get; init; }

    public string KeyName => string.Create(CultureInfo.InvariantCulture, $"k{Key}");

    public override string What
    {
        get
        {
            var context = Verb is ClientVerb.Get ? "" : WithContext ? " with what it saw" : " blindly";
            return string.Create(CultureInfo.InvariantCulture, $"c{Client} at n{Node + 1}: {Verb} t{Type}/{KeyName}{context}{Options()}");
        }
    }

    private string Options()
    {
        var named = new (string Name, QuorumValue Value)[] { ("r", R), ("pr", Pr), ("w", W), ("dw", Dw), ("pw", Pw), ("rw", Rw), ("node_confirms", NodeConfirms) };
        var words = named.Where(option => !option.Value.IsDefault).Select(option => $"{option.Name}={option.Value}")
            .Append(NVal is { } n ? string.Create(CultureInfo.InvariantCulture, $"n_val={n}") : "")
            .Append(BasicQuorum is { } basic ? $"basic_quorum={basic}" : "")
            .Append(NotFoundOk is { } ok ? $"notfound_ok={ok}" : "")
            .Append(Sloppy ? "" : "strict")
            .Append(HeadOnly ? "head" : "")
            .Append(IfModified ? "if modified" : "")
            .Append(ReturnBody ? "return_body" : "")
            .Append(ReturnHead ? "return_head" : "")
            .Append(AsIs ? "asis" : "")
            .Append(Timeout is { } timeout ? string.Create(CultureInfo.InvariantCulture, $"within {timeout.TotalMilliseconds:0} ms") : "")
            .Append(DiesAfter is { } dies ? string.Create(CultureInfo.InvariantCulture, $"dies after {dies.TotalMilliseconds:0} ms") : "")
            .Where(word => word.Length > 0);
        return string.Concat(words.Select(word => $" {word}"));
    }
}
