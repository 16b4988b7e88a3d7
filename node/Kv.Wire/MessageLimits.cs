namespace Kv.Wire;

/// <summary>How many things one message may name, in every front end: each takes many times the bytes that it has on the wire.</summary>
internal static class MessageLimits
{
    /// <summary>Links, metadata or index entries of one content; of an `ordered` type fewer index entries.</summary>
    public const int MaxEntries = 10_000;

    public const string TooManyEntries = "more than 10000 links, metadata or index entries";

    public const string TooManyFields = "too many fields: there is never memory for what becomes of them; send less at once";
}
