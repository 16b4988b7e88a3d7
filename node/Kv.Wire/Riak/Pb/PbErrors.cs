using System.Diagnostics;
using System.Globalization;
using System.Text;
using Kv.Cluster;
using Kv.Cluster.Membership;
using Kv.Core.Buckets;

namespace Kv.Wire.Riak.Pb;

/// <summary>
/// The texts of failures, which clients compare: Erlang terms as Riak prints them (reference 8.1), and sentences where Riak has no word.
/// </summary>
internal static class PbErrors
{
    public const string EmptyBucket = "Bucket cannot be zero-length";
    public const string EmptyKey = "Key cannot be zero-length";
    public const string EmptyType = "Type cannot be zero-length";
    public const string Overload = "overload";
    public const string NoStartTls = "Security not enabled; STARTTLS not allowed.";
    public const string NoAuthentication = "Security not enabled; authentication not required.";
    public const string NoCertificate = "STARTTLS is not possible: the node has no certificate";
    public const string HasTls = "STARTTLS is done already";
    public const string NeedsTls = "Security is enabled, please STARTTLS first";
    public const string NeedsUser = "Security is enabled, please authenticate first";
    public const string NotAuthenticated = "Authentication failed";
    public const string Internal = "Error processing incoming message: the node failed, see its log";
    public const string NoDataType = "Bucket datatype 'undefined' is not a supported type.";
    public const string NoIndexBodies = "return_body is not supported: fetch the objects by the keys";
    public const string EmptyIndex = "Index cannot be zero-length";
    public const string NoCounterOperation = "non-counter operation on default bucket";
    public const string CountersNeedSiblings = "Counters require bucket property 'allow_mult=true'";
    public const string NoCounter = "the key holds no counter";
    public const string NoCode = "Invalid message packet: a frame has at least one byte, its code";

    public const string TooManyFields = "Invalid message packet: " + MessageLimits.TooManyFields;
    public const string Unreadable = "Error processing incoming message: it cannot be read";

    public static string UnknownCode(byte code) => Text($"Unknown message code: {code}");

    public static string Malformed(string reason) => "Error processing incoming message: " + reason;

    public static string FrameTooLarge(long bytes, long maximum) => Text($"Invalid message packet: {bytes} bytes, at most {maximum} are allowed");

    public static string NoBucketType(string name) => $"No bucket-type named '{name}'";

    public static string InvalidBucketType(string name) => $"Invalid bucket type: <<\"{name}\">>";

    public static string InvalidProps(IEnumerable<BucketPropsProblem> problems) =>
        $"Invalid bucket properties: [{string.Join(',', problems.Select(problem => $"{{{problem.Property},{Term(problem.Reason)}}}"))}]";

    /// <summary>Riak's word where an entry's field has another ending than `_bin` and `_int`.</summary>
    public static string UnknownIndexField(string field) => $"{{precommit_fail,[{{unknown_field_type,<<\"{field}\">>}}]}}";

    /// <summary>Riak's word where an `_int` field's value is no integer.</summary>
    public static string BadIndexValue(string field, string value) => $"{{precommit_fail,[{{field_parsing_failed,{{<<\"{field}\">>,<<\"{value}\">>}}}}]}}";

    public static string Of(KvError error) => error switch
    {
        KvError.NValViolation violation => Text($"{{n_val_violation,{violation.NVal}}}"),
        KvError.QuorumValueViolation violation => $"{{{violation.Option}_val_violation,invalid}}",
        KvError.Unsatisfied unmet => Text($"{{{unmet.Option}_val_unsatisfied,{unmet.Required},{unmet.Got}}}"),
        KvError.InsufficientVnodes lacking => Text($"{{insufficient_vnodes,{lacking.Got},need,{lacking.Required}}}"),
        KvError.AllNodesDown => "all_nodes_down",
        KvError.Timeout => "timeout",
        KvError.Overload => Overload,
        KvError.NotReady notReady => $"node is not ready: {notReady.Detail}",
        KvError.IndexesNotSupported unsupported => $"{{error,{{indexes_not_supported,{unsupported.Backend}}}}}",
        KvError.UnknownBucketType unknown => NoBucketType(unknown.BucketType),
        KvError.MatchFound => "match_found",
        KvError.Modified => "modified",
        KvError.NotFoundForCondition => "notfound",
        KvError.NotPresent missing => $"{{precondition,{{not_present,{missing.Term}}}}}",
        KvError.PreCommitFailed failed => failed.Message.Length == 0 ? "precommit_fail" : $"{{precommit_fail,{Binary(failed.Message)}}}",
        KvError.TooManySiblings many => Text($"{{too_many_siblings,{many.Count}}}"),
        KvError.ObjectTooLarge large => Text($"{{too_large,{large.Bytes}}}"),
        KvError.InvalidRequest invalid => invalid.Message,
        KvError.StorageFailed => "storage failed: see the node's log",
        _ => throw new UnreachableException(),
    };

    /// <summary>A refused change of, or look at, the properties of a bucket.</summary>
    public static string Of(AdminRefusal refusal, string bucketType) =>
        refusal.Kind == AdminRefusalKind.NotFound ? NoBucketType(bucketType) : refusal.Message;

    /// <summary>An atom as it stands, a sentence in quotes.</summary>
    private static string Term(string reason) =>
        reason.Length > 0 && char.IsAsciiLetterLower(reason[0]) && reason.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_')
            ? reason
            : $"\"{reason.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    /// <summary>A text as Erlang prints its bytes: as they stand where they are printable ASCII, else as numbers.</summary>
    private static string Binary(string text) => text.All(c => c is >= ' ' and <= '~')
        ? $"<<\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\">>"
        : $"<<{string.Join(',', Encoding.UTF8.GetBytes(text))}>>";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
