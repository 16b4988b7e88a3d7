using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Google.Protobuf;
using Grpc.Core;
using Kv.Protos.Kv.V1;
using Kv.Wire.Native;
using Xunit;

namespace Kv.Wire.Tests.Native;

/// <summary>A session by itself: its requests come through a pipe, and its answers go to a list.</summary>
public sealed class NativeSessionTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Bug_IsToldInItsOperationsAnswer_AndLogged_AndAWriteMayHaveBeenDone()
    {
        var log = new LoggedErrors();
        var session = new NativeSession(null!, null!, new NativeOptions(), RequestMemory.Unbounded(), null, () => false, _ => throw new InvalidOperationException("the secret"), log);
        var answers = await AnswersAsync(session, new SessionRequest { Id = 1, Put = new PutRequest() }, new SessionRequest { Id = 2, Get = new GetRequest() });
        var put = answers.Single(answer => answer.Id == 1).Put.Error;
        var get = answers.Single(answer => answer.Id == 2).Get.Error;
        Assert.Equal((Error.Types.Code.StorageFailed, true), (put.Code, put.Indeterminate));
        Assert.Equal((Error.Types.Code.StorageFailed, false), (get.Code, get.Indeterminate));
        Assert.Equal("the node failed: see its log", put.Message);
        Assert.Equal(["a Get of a session failed: the secret", "a Put of a session failed: the secret"], log.Errors.Order(StringComparer.Ordinal));
    }

    /// <summary>Sends them in one message, and all that is answered.</summary>
    private static async Task<List<SessionResponse>> AnswersAsync(NativeSession session, params SessionRequest[] requests)
    {
        var pipe = new Pipe();
        var message = new SessionRequests { Requests = { requests } }.ToByteArray();
        var prefix = new byte[5];
        BinaryPrimitives.WriteInt32BigEndian(prefix.AsSpan(1), message.Length);
        await pipe.Writer.WriteAsync((byte[])[.. prefix, .. message], Cancel);
        await pipe.Writer.CompleteAsync();
        var answers = new Answers();
        var body = new CallBody(pipe.Reader);
        await session.ServeAsync(body, new Frames(body), answers, Cancel);
        return answers.Taken;
    }

    private sealed class Frames(PipeReader body) : IAsyncStreamReader<SessionRequests>
    {
        public SessionRequests Current { get; private set; } = new();

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            // All of it is there from the start.
            var buffer = (await body.ReadAsync(cancellationToken)).Buffer;
            var length = BinaryPrimitives.ReadInt32BigEndian(buffer.Slice(1, 4).ToArray());
            var message = buffer.Slice(5, length);
            Current = SessionRequests.Parser.ParseFrom(message);
            body.AdvanceTo(message.End);
            return true;
        }
    }

    private sealed class Answers : IServerStreamWriter<SessionResponses>
    {
        public List<SessionResponse> Taken { get; } = [];

        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(SessionResponses message) => WriteAsync(message, CancellationToken.None);

        public Task WriteAsync(SessionResponses message, CancellationToken cancellationToken)
        {
            Taken.AddRange(message.Responses);
            return Task.CompletedTask;
        }
    }
}
