using System.Net.Sockets;
using Grpc.Core;
using Kv.Protos.Kv.V1;

namespace Kv.Kubectl.Connections;

/// <summary>Errors of calls and of operations → a text and an exit code; and what an error says of whether the operation was done.</summary>
internal static class CallErrors
{
    private const string NotReady = "not_ready:";
    private const string NotInCluster = "not_in_cluster:";

    /// <summary>The node did not do it, and it may work later or elsewhere.</summary>
    public static bool IsNotDone(Error error) => error is { Retryable: true, Indeterminate: false };

    /// <summary>The request has not left, since nobody was there to take it: no connection was made, or it led nowhere.</summary>
    public static bool IsNotSent(RpcException e) => Causes(e).Any(cause => cause is PodRefusedException)
        || (e.StatusCode == StatusCode.Unavailable && e.Status.DebugException is
            SocketException or TimeoutException or HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError });

    /// <summary>Another node may answer what this one could not.</summary>
    public static bool IsOfThisNode(RpcException e) =>
        e.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Internal or StatusCode.Cancelled or StatusCode.ResourceExhausted
        || (e.StatusCode == StatusCode.FailedPrecondition && e.Status.Detail.StartsWith(NotInCluster, StringComparison.Ordinal));

    /// <summary>A node said it, rather than that none was reached.</summary>
    public static bool IsSaid(RpcException e) => e.Status.DebugException is null && e.StatusCode != StatusCode.DeadlineExceeded;

    public static CliException Of(Error error)
    {
        var text = error.Message.Length > 0 ? error.Message : error.Code.ToString();
        var code = error.Code == Error.Types.Code.Timeout || error.Retryable ? ExitCode.Unavailable : ExitCode.Failed;
        return new CliException(code, text);
    }

    public static CliException Of(RpcException e, NodePort port, string prefix)
    {
        var code = e.StatusCode switch
        {
            StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Aborted or StatusCode.Cancelled or StatusCode.ResourceExhausted => ExitCode.Unavailable,
            StatusCode.FailedPrecondition when e.Status.Detail.StartsWith(NotReady, StringComparison.Ordinal) => ExitCode.Unavailable,
            // A listing of an unknown bucket type is no answer that there is nothing.
            StatusCode.NotFound when port == NodePort.Admin => ExitCode.NotFound,
            _ => ExitCode.Failed,
        };

        // Who is turned away has done nothing.
        return new CliException(code, (e.StatusCode is StatusCode.Unauthenticated or StatusCode.PermissionDenied ? "" : prefix) + ReasonOf(e), e);
    }

    public static string ReasonOf(RpcException e)
    {
        switch (e.StatusCode)
        {
            case StatusCode.DeadlineExceeded:
                return e.Status.Detail.Length > 0 && e.Status.DebugException is null ? e.Status.Detail : "no answer in time";
            case StatusCode.Unimplemented:
                return "what answers there is not this port of a node, or a program that does not know the question yet";
        }

        if (e.Status.DebugException is null)
        {
            return e.Status.Detail.Length > 0 ? e.Status.Detail : e.StatusCode.ToString();
        }

        // The first that says what happened to the connection; else the innermost.
        var cause = Causes(e).FirstOrDefault(one => one is PodRefusedException or SocketException) ?? Causes(e).Last();
        return cause is OperationCanceledException or TimeoutException ? "no connection in time" : cause.Message;
    }

    private static IEnumerable<Exception> Causes(RpcException e)
    {
        for (var cause = e.Status.DebugException; cause is not null; cause = cause.InnerException)
        {
            yield return cause;
        }
    }
}
