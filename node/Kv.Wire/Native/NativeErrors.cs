using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Kv.Cluster;
using Kv.Protos.Kv.V1;

namespace Kv.Wire.Native;

/// <summary><see cref="KvError"/> → the native protocol: the error of an answer, and the status of a listing.</summary>
public static class NativeErrors
{
    public static Error ToProto(KvError error) => new()
    {
        Code = CodeOf(error),
        Message = MessageOf(error),
        Retryable = error.IsRetryable,
        Indeterminate = error.IsIndeterminate,
    };

    /// <summary>In the answer of a session's request that was not granted.</summary>
    public static Error Denied(string why) => new() { Code = Error.Types.Code.PermissionDenied, Message = why };

    /// <summary>Of a get among many whose answers together are too long for one message.</summary>
    public static Error AnswerFull { get; } = new() { Code = Error.Types.Code.Overload, Message = "the answer is full: ask for this key in another call", Retryable = true };

    /// <summary>In the answer of a session's request that failed by a bug, as a store's failure: nobody can say how far a write came. Details are in the log alone.</summary>
    public static Error Internal(bool isWrite) =>
        new() { Code = Error.Types.Code.StorageFailed, Message = "the node failed: see its log", Retryable = true, Indeterminate = isWrite };

    /// <summary>For calls that have no answer to put an error in.</summary>
    public static RpcException ToStatus(KvError error)
    {
        var status = error switch
        {
            KvError.Timeout => StatusCode.DeadlineExceeded,
            KvError.Overload => StatusCode.ResourceExhausted,
            KvError.UnknownBucketType => StatusCode.NotFound,
            KvError.InvalidRequest or KvError.NValViolation or KvError.QuorumValueViolation => StatusCode.InvalidArgument,
            _ when error.IsRetryable => StatusCode.Unavailable,
            _ => StatusCode.FailedPrecondition,
        };
        return new RpcException(new Status(status, MessageOf(error)));
    }

    public static string MessageOf(KvError error) => error switch
    {
        KvError.NValViolation violation => Text($"a quorum or n_val above the bucket's n_val of {violation.NVal}"),
        KvError.QuorumValueViolation violation => $"{violation.Option} is not a quorum",
        KvError.Unsatisfied unsatisfied => Text($"{unsatisfied.Option} not met: {unsatisfied.Required} required, {unsatisfied.Got} got")
            + (unsatisfied.Indeterminate ? "; some replicas may hold the write" : ""),
        KvError.InsufficientVnodes insufficient => Text($"{insufficient.Required} replicas required, {insufficient.Got} can be reached"),
        KvError.AllNodesDown => "no node of the key's preference list can be reached",
        KvError.Timeout timeout => timeout.Indeterminate ? "timed out; some replicas may hold the write" : "timed out",
        KvError.Overload overload => overload.Indeterminate ? "overloaded; some replicas may hold the write" : "overloaded: try again later",
        KvError.NotReady notReady => "not ready: " + notReady.Detail,
        KvError.UnknownBucketType unknown => $"there is no active bucket type `{unknown.BucketType}`",
        KvError.MatchFound => "if_none_match: there is a value",
        KvError.Modified => "if_not_modified: the object has changed",
        KvError.NotFoundForCondition => "if_not_modified: there is no object",
        KvError.NotPresent missing => $"there is no {missing.Term} to remove",
        KvError.TooManySiblings siblings => Text($"the object would have {siblings.Count} siblings, at most {siblings.Maximum} are allowed"),
        KvError.ObjectTooLarge large => Text($"the object would have {large.Bytes} bytes, at most {large.Maximum} are allowed, by `max-object-size` or by the node's memory"),
        KvError.PreCommitFailed failed => failed.Message.Length == 0 ? "refused by a precommit hook" : failed.Message,
        KvError.IndexesNotSupported unsupported => $"backend `{unsupported.Backend}` has no indexes",
        KvError.InvalidRequest invalid => invalid.Message,
        KvError.StorageFailed => "a store failed: see the node's log",
        _ => throw new UnreachableException(),
    };

    private static Error.Types.Code CodeOf(KvError error) => error switch
    {
        KvError.NValViolation => Error.Types.Code.NValViolation,
        KvError.QuorumValueViolation => Error.Types.Code.QuorumValueViolation,
        KvError.Unsatisfied => Error.Types.Code.Unsatisfied,
        KvError.InsufficientVnodes => Error.Types.Code.InsufficientVnodes,
        KvError.AllNodesDown => Error.Types.Code.AllNodesDown,
        KvError.Timeout => Error.Types.Code.Timeout,
        KvError.Overload => Error.Types.Code.Overload,
        KvError.NotReady => Error.Types.Code.NotReady,
        KvError.UnknownBucketType => Error.Types.Code.UnknownBucketType,
        KvError.MatchFound => Error.Types.Code.MatchFound,
        KvError.Modified => Error.Types.Code.Modified,
        KvError.NotFoundForCondition => Error.Types.Code.NotFoundForCondition,
        KvError.NotPresent => Error.Types.Code.NotPresent,
        KvError.TooManySiblings => Error.Types.Code.TooManySiblings,
        KvError.ObjectTooLarge => Error.Types.Code.ObjectTooLarge,
        KvError.InvalidRequest or KvError.IndexesNotSupported => Error.Types.Code.InvalidRequest,
        KvError.PreCommitFailed => Error.Types.Code.PrecommitFailed,
        KvError.StorageFailed => Error.Types.Code.StorageFailed,
        _ => throw new UnreachableException(),
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
