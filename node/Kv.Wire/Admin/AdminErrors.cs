using Grpc.Core;
using Kv.Cluster.Membership;

namespace Kv.Wire.Admin;

/// <summary><see cref="AdminRefusal"/> → a gRPC status whose message begins with the refusal's stable word: `not_ready: …`.</summary>
public static class AdminErrors
{
    public static RpcException ToStatus(AdminRefusal refusal) => new(new Status(
        refusal.Kind switch
        {
            AdminRefusalKind.FailedPrecondition => StatusCode.FailedPrecondition,
            AdminRefusalKind.InvalidArgument => StatusCode.InvalidArgument,
            AdminRefusalKind.NotFound => StatusCode.NotFound,
            AdminRefusalKind.AlreadyExists => StatusCode.AlreadyExists,
            AdminRefusalKind.Aborted => StatusCode.Aborted,
            AdminRefusalKind.Unavailable => StatusCode.Unavailable,
            _ => StatusCode.Internal,
        },
        $"{refusal.Reason}: {refusal.Message}"));

    public static RpcException Invalid(string word, string message) => new(new Status(StatusCode.InvalidArgument, $"{word}: {message}"));

    /// <summary>The value, or the refusal thrown as its status.</summary>
    public static T ValueOf<T>(AdminResult<T> result)
        where T : class => result.IsOk ? result.Value : throw ToStatus(result.Refusal);
}
