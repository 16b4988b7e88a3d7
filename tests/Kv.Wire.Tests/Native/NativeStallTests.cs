using Google.Protobuf;
using Kv.Protos.Kv.V1;
using Xunit;

namespace Kv.Wire.Tests.Native;

/// <summary>For how long a client's calls hold the node's memory.</summary>
public sealed class NativeStallTests() : NativeFrontEnd(TimeSpan.FromMilliseconds(100))
{
    [Theory]
    [InlineData("Put")]
    [InlineData("Session")]
    public async Task MessageThatRests_EndsItsCall_AndGivesItsRoomBack(string method)
    {
        using var content = new SlowContent(Prefix((int)Memory.MaxObjectBytes));
        using var response = await CallAsync(method, content);
        await response.Content.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        Assert.Equal(DeadlineExceeded, Status(response));
        Assert.Equal(0, Memory.Clients.Used);
    }

    [Fact]
    public async Task SessionWhoseAnswersAreNotTaken_Ends_AndGivesItsRoomBack()
    {
        var puts = new SessionRequests();
        for (var id = 1u; id <= 20; id++)
        {
            var key = new Key { Bucket = ByteString.CopyFromUtf8("b"), Key_ = ByteString.CopyFromUtf8($"{id}") };
            var content = new Content { Value = ByteString.CopyFrom(new byte[300_000]) };
            puts.Requests.Add(new SessionRequest { Id = id, Put = new PutRequest { Key = key, Content = content, ReturnBody = true } });
        }

        using var sent = new SlowContent(Framed(puts.ToByteArray()));
        try
        {
            using var response = await CallAsync("Session", sent);
            await RoomIsBackAsync();
            await response.Content.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
            Assert.Equal(DeadlineExceeded, Status(response));
        }
        catch (HttpRequestException)
        {
            // A write that its reader holds up is reset.
        }

        await RoomIsBackAsync();
    }

    [Theory]
    [InlineData("Put")]
    [InlineData("Session")]
    public async Task MessageThatComesTooSlowly_EndsItsCall_AndGivesItsRoomBack(string method)
    {
        using var content = new SlowContent(Prefix(400_000), pause: TimeSpan.FromMilliseconds(20));
        using var response = await CallAsync(method, content);
        await response.Content.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        Assert.Equal(DeadlineExceeded, Status(response));
        Assert.Equal(0, Memory.Clients.Used);
    }

    [Fact]
    public async Task AnswerThatIsNotTaken_EndsItsConnection()
    {
        var key = await PutAsync("large", 4_000_000);
        using var response = await CallAsync("Get", new ByteArrayContent(Framed(new GetRequest { Key = key }.ToByteArray())));
        await Closed.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task CallsOfOneConnection_TakeNoMoreThanHalf()
    {
        var third = Prefix((int)Memory.MaxObjectBytes / 3);
        var contents = Enumerable.Range(0, 4).Select(_ => new SlowContent(third)).ToList();
        var calls = contents.Select(content => CallAsync("Session", content)).ToList();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        var most = 0L;
        while (calls.Any(call => !call.IsCompleted))
        {
            most = Math.Max(most, Memory.Clients.Used);
            Assert.InRange(most, 0, Memory.Clients.Bytes / 2);
            await Task.Delay(1, patience.Token);
        }

        Assert.NotEqual(0, most);
        foreach (var call in calls)
        {
            (await call).Dispose();
        }

        contents.ForEach(content => content.Dispose());
    }

    [Fact]
    public async Task SessionWithoutAMessage_MayRest()
    {
        using var content = new SlowContent([]);
        var call = CallAsync("Session", content);
        await Task.Delay(400, TestContext.Current.CancellationToken);
        content.End();
        using var response = await call;
        await response.Content.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        Assert.Equal(0, Status(response));
    }
}
