using System.Globalization;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Kv.Wire.Native;

/// <summary>
/// Before a unary call's message is received: room for it, or a status that says why not. gRPC itself gathers a message whole before anybody is asked. A session does
/// this for each of its messages.
/// </summary>
internal sealed class UnaryAdmission(RequestMemory memory, NativeOptions options)
{
    private static readonly string SessionPath = "/" + Protos.Kv.V1.Kv.Descriptor.FullName + "/" + nameof(Protos.Kv.V1.Kv.KvBase.Session);

    // hot
    public async Task InvokeAsync(HttpContext http, RequestDelegate next)
    {
        var body = DueBody.Before(http, options.StallTimeout);
        if (http.Request.Path == SessionPath || await GrpcPrefix.PeekAsync(body, http.RequestAborted) is not { } prefix)
        {
            await next(http);
            return;
        }

        if (WhyNot(prefix, options) is { } reason)
        {
            Refuse(http, reason);
            return;
        }

        var bytes = (long)prefix.MessageBytes * RequestMemory.CopiesOfWrite;
        if (!await memory.Clients.TakeAsync(bytes, http.RequestAborted))
        {
            Refuse(http, new Status(StatusCode.ResourceExhausted, "overloaded: there is no memory for the message now; try again later"));
            return;
        }

        body.IsDue = true;
        try
        {
            await next(http);
        }
        finally
        {
            memory.Clients.Release(bytes);
        }
    }

    /// <summary>Why a message is not taken whatever room there is; null where it is.</summary>
    public static Status? WhyNot(GrpcPrefix prefix, NativeOptions options)
    {
        if (prefix.IsCompressed)
        {
            return new Status(StatusCode.Unimplemented, "compressed messages are not taken: nobody knows how long they will be");
        }

        // Not RESOURCE_EXHAUSTED, as gRPC itself has it: that is to be tried again.
        return prefix.MessageBytes <= options.MaxMessageBytes ? null : new Status(StatusCode.InvalidArgument, string.Create(
            CultureInfo.InvariantCulture, $"a message of {prefix.MessageBytes} bytes, at most {options.MaxMessageBytes} are taken: the largest object, which `max-object-size` and the node's memory bound, and what goes with it"));
    }

    public static void Refuse(HttpContext http, Status status)
    {
        http.Response.ContentType = "application/grpc";
        http.Response.Headers["grpc-status"] = ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture);
        http.Response.Headers["grpc-message"] = Uri.EscapeDataString(status.Detail);
    }
}
