using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Kv.Cluster;
using Kv.Cluster.Membership;
using Kv.Core.Buckets;

namespace Kv.Wire.Riak.Http;

/// <summary>
/// <see cref="KvError"/> and <see cref="AdminRefusal"/> → status and text as Riak's HTTP interface gives them (riak_kv_wm_utils, riak_kv_wm_object; reference 7.1), and
/// the texts for requests that make no sense. "Unsatisfied" names what was got, then what was required.
/// </summary>
internal static class HttpErrors
{
    /// <summary>Letters of what a client sent that it is told again.</summary>
    private const int LongestEcho = 200;

    public static HttpFault NotFound { get; } = new(404, "not found\n");

    public static HttpFault MissingContentType { get; } = new(400, "Missing Content-Type request header\n");

    public static HttpFault PreconditionFailed { get; } = new(412, "a condition of the request does not hold for the stored object\n");

    public static HttpFault NeedsTls { get; } = new(426, "Security is enabled and Riak does not accept credentials over HTTP. Try HTTPS instead.\n");

    public static HttpFault Unauthorized { get; } = new(401, "Unauthorized\n");

    public static HttpFault OtherReferer { get; } = new(403, "the request was sent by a page of another site\n");

    /// <summary>A link leads to any bucket: what a user was granted on one would show what is in others (Riak does not walk with security on either).</summary>
    public static HttpFault NoWalks { get; } = new(403, "links are not followed while security is enabled\n");

    public static HttpFault BadStep(string step) =>
        new(400, $"Invalid link walk step: '{(step.Length > LongestEcho ? step[..LongestEcho] + "…" : step)}'. Steps are of the form BUCKET,TAG,KEEP, where _ stands for any and KEEP is 0 or 1\n");

    public static HttpFault WalkTooLong(int objects, long bytes) => new(400, Text($"the links lead to more than {objects} objects or {bytes} bytes of them\n"));

    public static HttpFault Denied(string text) => new(403, text);

    public static HttpFault NotAcceptable { get; } = new(406, "the object is not stored in a media type that the Accept header allows\n");

    public static HttpFault MalformedPath { get; } = new(400, "malformed percent-encoding in the path\n");

    public static HttpFault BodyCutShort { get; } = new(400, "the request body ended early\n");

    public static HttpFault BodyMemory { get; } = new(503, "overload: there is no memory for the request's body now; try again later\n");

    public static HttpFault Internal { get; } = new(500, "Error:\ninternal error: see the node's log\n");

    public static HttpFault BadPropsBody { get; } = new(400, "bucket PUT must be a JSON object of the form:\n{\"props\":{...}}\n");

    public static HttpFault BadLink { get; } = new(
        400, "Invalid Link header. Links must be of the form\n</buckets/BUCKET/keys/KEY>; riaktag=\"TAG\"\nor </riak/BUCKET/KEY>; riaktag=\"TAG\"\n");

    public static HttpFault TooManyEntries { get; } = new(400, MessageLimits.TooManyEntries + "\n");

    public static HttpFault BadQuorum(string option) =>
        new(400, $"{option} query parameter must be an integer or one of the following words: 'one', 'quorum' or 'all'\n");

    public static HttpFault BadBoolean(string option) => new(400, $"{option} query parameter must be true or false\n");

    public static HttpFault BadSync { get; } = new(400, "sync_on_write query parameter must be one of the following words: 'backend', 'one' or 'all'\n");

    public static HttpFault BadTimeout(string value) => new(400, $"Bad timeout value \"{value}\"\n");

    public static HttpFault BadContext(string header, string reason) => new(400, $"Invalid {header} header: {reason}\n");

    public static HttpFault BadIndexType(string field) => new(400, $"Unknown field type for field: '{field}'.\n");

    public static HttpFault BadIndexValue(string field, string value) => new(400, $"Could not parse field '{field}', value '{value}'.\n");

    public static HttpFault NotPositive(string name, string value) => new(400, $"Invalid \"{name}\". {value} is not a positive integer\n");

    public static HttpFault UnknownType(string bucketType) => new(404, $"Unknown bucket type: {bucketType}\n");

    public static HttpFault CannotModifyType(string bucketType) => new(404, $"Cannot modify unknown bucket type: {bucketType}\n");

    public static HttpFault TooLarge(long maximum) => new(413, Text($"the request body is too large; at most {maximum} bytes are allowed\n"));

    public static HttpFault ObjectTooLarge(long maximum) =>
        new(413, Text($"the request body is too large; at most {maximum} bytes are allowed, by `max-object-size` or by the node's memory\n"));

    public static HttpFault TooManyFields { get; } = new(413, MessageLimits.TooManyFields + "\n");

    public static HttpFault NotJson { get; } = new(415, "the body's Content-Type must be application/json\n");

    public static HttpFault UpdateNotJson { get; } = new(406, "the body's Content-Type must be application/json\n");

    public static HttpFault CountersNeedSiblings { get; } = new(409, "Counters require bucket property 'allow_mult=true'\n");

    public static HttpFault NotInteger { get; } = new(400, "Counters take integers: the body is none\n");

    public static HttpFault NoCounter { get; } = new(409, "the key holds no counter\n");

    public static HttpFault NotUtf8 { get; } = new(400, "Malformed JSON submitted, invalid UTF-8\n");

    /// <summary>Of a value that has come by Protocol Buffers.</summary>
    public static HttpFault NotText { get; } = new(500, "Error:\nthe value is not UTF-8 throughout, which JSON cannot carry: fetch it by Protocol Buffers\n");

    public static HttpFault BadJson(string reason) => new(400, $"Couldn't decode JSON: {reason}\n");

    public static HttpFault BadOperation(string dataType, string json) => new(400, $"Invalid operation on datatype '{dataType}': {(json.Length > LongestEcho ? json[..LongestEcho] + "…" : json)}\n");

    public static HttpFault BadFieldName(string name) => new(400, $"Invalid map field name '{name}'\n");

    public static HttpFault BadDataTypeContext(string reason) => new(400, $"Invalid context: {reason}\n");

    public static HttpFault NoDataType(string? dataType) => new(403, $"Bucket datatype '{dataType ?? "undefined"}' is not a supported type.\n");

    public static HttpFault NoDataTypeThere(string dataType) => new(404, $"{{\"type\":\"{dataType}\",\"error\":\"notfound\"}}", "application/json");

    /// <summary>Status and text of a write's failure; a hook's refusal without a text names the method (riak_kv_wm_object).</summary>
    public static HttpFault OfWrite(KvError error, string method) =>
        error is KvError.PreCommitFailed { Message: "" } ? new(403, $"{method} aborted by pre-commit hook.") : Of(error);

    /// <summary>Status and text of a request's failure.</summary>
    public static HttpFault Of(KvError error) => error switch
    {
        KvError.PreCommitFailed failed => new(403, failed.Message.Length == 0 ? "PUT aborted by pre-commit hook." : failed.Message),
        KvError.NValViolation violation => new(400, Text($"Specified w/dw/pw/node_confirms values invalid for bucket n value of {violation.NVal}\n")),
        KvError.QuorumValueViolation violation => BadQuorum(violation.Option),
        KvError.InvalidRequest invalid => new(400, invalid.Message + "\n"),
        KvError.IndexesNotSupported unsupported => new(500, $"{{error,{{indexes_not_supported,{unsupported.Backend}}}}}\n"),
        KvError.UnknownBucketType unknown => UnknownType(unknown.BucketType),
        KvError.Modified or KvError.NotFoundForCondition => new(409, "the object is not the one that X-Riak-If-Not-Modified names\n"),
        KvError.MatchFound => PreconditionFailed,
        KvError.ObjectTooLarge large => new(413, Text($"the object would have {large.Bytes} bytes; at most {large.Maximum} are allowed, by `max-object-size` or by the node's memory\n")),
        KvError.InsufficientVnodes lacking => new(500, Text($"Error:\n{{insufficient_vnodes,{lacking.Got},need,{lacking.Required}}}\n")),
        KvError.AllNodesDown => new(500, "Error:\nall_nodes_down\n"),
        KvError.Overload => new(503, "overload\n"),
        KvError.NotPresent missing => new(500, $"Error:\n{{precondition,{{not_present,{missing.Term}}}}}\n"),
        KvError.TooManySiblings many => new(500, Text($"Error:\n{{too_many_siblings,{many.Count}}}\n")),
        KvError.StorageFailed => new(500, "Error:\nstorage failed: see the node's log\n"),
        KvError.Timeout => new(503, "request timed out\n"),
        KvError.Unsatisfied unmet => new(503, Text($"{NameOf(unmet.Option)}-value unsatisfied: {unmet.Got}/{unmet.Required}\n")),
        KvError.NotReady notReady => new(503, $"node is not ready: {notReady.Detail}\n"),
        _ => throw new UnreachableException(),
    };

    /// <summary>Status and text of a refused change or look at properties.</summary>
    public static HttpFault Of(AdminRefusal refusal, string bucketType) => refusal.Kind switch
    {
        AdminRefusalKind.NotFound => UnknownType(bucketType),
        AdminRefusalKind.InvalidArgument => new(400, refusal.Message + "\n"),
        AdminRefusalKind.AlreadyExists => new(409, refusal.Message + "\n"),
        AdminRefusalKind.FailedPrecondition when refusal.Reason != "not_in_cluster" => new(409, refusal.Message + "\n"),
        _ => new(503, refusal.Message + "\n"),
    };

    /// <summary>Riak's answer to properties that do not pass: an object of property and reason.</summary>
    public static HttpFault Of(IEnumerable<BucketPropsProblem> problems)
    {
        var reasons = new Dictionary<string, string>();
        foreach (var problem in problems)
        {
            reasons.TryAdd(problem.Property, problem.Reason);
        }

        return new HttpFault(400, JsonSerializer.Serialize(reasons, PlainJson.Options), "application/json");
    }

    /// <summary>The word that a listing's stream says in `{"error": …}`.</summary>
    public static string WordOf(KvError error) => error switch
    {
        KvError.Timeout => "timeout",
        KvError.Overload => "overload",
        KvError.AllNodesDown => "all_nodes_down",
        KvError.InsufficientVnodes => "insufficient_vnodes",
        _ => "failed",
    };

    private static string NameOf(string option) => option == "node_confirms" ? option : option.ToUpperInvariant();

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
