using System.IO.Pipelines;
using Kv.Wire.Riak.Http;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Kv.Wire.Tests.Riak.Http;

/// <summary>Bodies whose length is not told: room is taken as they grow.</summary>
public sealed class RequestBodyTests
{
    private static readonly HttpFault TooLarge = new(413, "too large");

    private readonly RequestMemory memory = new(9 * 1024 * 1024, TimeProvider.System);

    [Fact]
    public async Task SmallOnes_AreReadSideBySide()
    {
        var (first, second) = (new Pipe(), new Pipe());
        await first.Writer.WriteAsync(new byte[1000], TestContext.Current.CancellationToken);
        var waiting = ReadAsync(first);
        await second.Writer.WriteAsync(new byte[1000], TestContext.Current.CancellationToken);
        await second.Writer.CompleteAsync();
        using (var taken = await ReadAsync(second))
        {
            Assert.Equal((1000, null), (taken.Bytes.Length, taken.Fault));
            Assert.True(memory.Clients.Used > 0);
        }

        await first.Writer.CompleteAsync();
        (await waiting).Dispose();
        Assert.Equal(0, memory.Clients.Used);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 413)]
    public async Task LargestOne_HasRoomWhenItIsAlone(int more, int status)
    {
        using (var taken = await ReadAsync(await WholeAsync((int)memory.MaxObjectBytes + more)))
        {
            Assert.Equal(status, taken.Fault?.Status ?? 0);
            Assert.Equal(status == 0 ? memory.MaxObjectBytes : 0, taken.Bytes.Length);
        }

        Assert.Equal(0, memory.Clients.Used);
    }

    [Fact]
    public async Task OneThatOutgrowsWhatThereIs_IsRefused()
    {
        Assert.True(memory.Clients.TryTake(memory.MaxObjectBytes));
        using (var taken = await ReadAsync(await WholeAsync((int)memory.MaxObjectBytes)))
        {
            Assert.Equal(HttpErrors.BodyMemory, taken.Fault);
        }

        Assert.Equal(memory.MaxObjectBytes, memory.Clients.Used);
    }

    private static async Task<Pipe> WholeAsync(int bytes)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        await pipe.Writer.WriteAsync(new byte[bytes], TestContext.Current.CancellationToken);
        await pipe.Writer.CompleteAsync();
        return pipe;
    }

    private Task<RequestBody.Taken> ReadAsync(Pipe pipe)
    {
        var http = new DefaultHttpContext { RequestAborted = TestContext.Current.CancellationToken };
        http.Request.Body = pipe.Reader.AsStream();
        return new RequestBody(memory).ReadAsync(http, memory.MaxObjectBytes, TooLarge).AsTask();
    }
}
