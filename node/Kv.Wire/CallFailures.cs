using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;

namespace Kv.Wire;

/// <summary>
/// Logs what calls fail for by a bug, and answers that the node failed; where the heap ran out, that it is overloaded. The gRPC library logs as errors of the server also what its clients do, such as hanging up in
/// the midst of a message, and cannot tell the two apart: what it says of calls is left out of the node's log, and this is in its place.
/// </summary>
public sealed partial class CallFailures(ILogger<CallFailures> log) : Interceptor
{
    /// <summary>The library's own telling of failed calls.</summary>
    public const string LibraryCategory = "Grpc.AspNetCore.Server.ServerCallHandler";

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (Exception failure) when (IsFailure(failure, context))
        {
            throw Told(failure, context);
        }
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(requestStream, context);
        }
        catch (Exception failure) when (IsFailure(failure, context))
        {
            throw Told(failure, context);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(request, responseStream, context);
        }
        catch (Exception failure) when (IsFailure(failure, context))
        {
            throw Told(failure, context);
        }
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(requestStream, responseStream, context);
        }
        catch (Exception failure) when (IsFailure(failure, context))
        {
            throw Told(failure, context);
        }
    }

    /// <summary>An answer that is an error is none, nor is what a caller that has gone leaves behind.</summary>
    private static bool IsFailure(Exception failure, ServerCallContext context) =>
        failure is not (RpcException or OperationCanceledException) && !(failure is IOException or InvalidOperationException && context.CancellationToken.IsCancellationRequested);

    private RpcException Told(Exception failure, ServerCallContext context)
    {
        if (failure is OutOfMemoryException)
        {
            return new RpcException(new Status(StatusCode.ResourceExhausted, "overloaded; some replicas may hold what was written"));
        }

        LogUnexpected(failure, context.Method);
        return new RpcException(new Status(StatusCode.Internal, "the node failed: see its log"));
    }

    [LoggerMessage(2401, LogLevel.Error, "a call of {Method} failed")]
    private partial void LogUnexpected(Exception bug, string method);
}
