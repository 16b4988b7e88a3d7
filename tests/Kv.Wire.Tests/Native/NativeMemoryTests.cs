using Google.Protobuf;
using Kv.Protos.Kv.V1;
using Xunit;

namespace Kv.Wire.Tests.Native;

/// <summary>What a client's calls hold of the node's memory.</summary>
public sealed class NativeMemoryTests() : NativeFrontEnd(TimeSpan.FromMinutes(1))
{
    [Fact]
    public async Task TooLongMessageOfTooManyRequests_EndsItsSession()
    {
        byte[] request = [0x0a, 2, 8, 1];
        var message = Enumerable.Repeat(request, (int)Memory.MaxObjectBytes / 2).SelectMany(bytes => bytes).ToArray();
        using var content = new SlowContent([.. Prefix(message.Length), .. message]);
        using var response = await CallAsync("Session", content);
        await response.Content.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        Assert.Equal(InvalidArgument, Status(response));
    }

    /// <summary>Messages of which every few bytes are a field, by call: links of a content, and members that are added to a set.</summary>
    [Theory]
    [InlineData("Put", new[] { 2, 5 })]
    [InlineData("UpdateDataType", new[] { 2, 3, 1 })]
    [InlineData("MultiGet", new[] { 1 })]
    [InlineData("put", new[] { 2, 5 })]
    [InlineData("Put/", new[] { 2, 5 })]
    [InlineData("%50ut", new[] { 2, 5 })]
    public async Task MessageOfMoreFieldsThanThereIsMemoryFor_IsRefused(string method, int[] fields)
    {
        using var content = new SlowContent(Framed(Dense(fields)));
        using var response = await CallAsync(method, content);
        await response.Content.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        Assert.Equal(InvalidArgument, Status(response));
        Assert.StartsWith("too many fields", Uri.UnescapeDataString(response.Headers.GetValues("grpc-message").Single()), StringComparison.Ordinal);
        Assert.Equal(0, Memory.Clients.Used);
    }

    [Fact]
    public async Task SessionsMessageOfMoreFieldsThanThereIsMemoryFor_IsAnswered_AndTheSessionGoesOn()
    {
        using var content = new SlowContent([.. Framed(Message(1, [8, 5, .. Message(6, Dense([2, 3, 1]))])), .. Framed(new SessionRequests { Requests = { new SessionRequest { Id = 6, Get = new GetRequest() } } }.ToByteArray())]);
        using var response = await CallAsync("Session", content);
        var frames = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        var answers = new List<SessionResponse>();
        while (answers.Count < 2)
        {
            answers.AddRange((await ReadAsync(frames)).Responses);
        }

        var refused = answers.Single(answer => answer.Id == 5).UpdateDataType.Error;
        Assert.Equal(Error.Types.Code.InvalidRequest, refused.Code);
        Assert.StartsWith("too many fields", refused.Message, StringComparison.Ordinal);
        Assert.Equal(Error.Types.Code.InvalidRequest, answers.Single(answer => answer.Id == 6).Get.Error.Code);
    }

    /// <summary>What becomes of its fields is there before the copies that are made of it later.</summary>
    [Fact]
    public async Task LargestObject_HasRoomWithManyFields()
    {
        var put = new PutRequest { Key = new Key { Bucket = ByteString.CopyFromUtf8("b") }, Content = new Content { Value = ByteString.CopyFrom(new byte[Memory.MaxObjectBytes - 100_000]) } };
        put.Content.UserMetadata.AddRange(Enumerable.Range(0, 1000).Select(number => new Pair { Name = $"{number}", Value = "v" }));
        using var response = await CallAsync("Put", new ByteArrayContent(Framed(put.ToByteArray())));
        var answer = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, Status(response));
        Assert.Null(PutResponse.Parser.ParseFrom(answer[5..]).Error);
    }

    [Fact]
    public async Task AnswerOfManyGets_IsOneMessageAtMost()
    {
        var many = new MultiGetRequest();
        for (var id = 1; id <= 3; id++)
        {
            many.Gets.Add(new GetRequest { Key = await PutAsync($"{id}", id == 3 ? 1000 : 7_000_000) });
        }

        using var response = await CallAsync("MultiGet", new ByteArrayContent(Framed(many.ToByteArray())));
        var answer = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        var gets = MultiGetResponse.Parser.ParseFrom(answer[5..]).Gets;
        Assert.Equal([7_000_000, 0, 1000], gets.Select(get => get.Object?.Siblings.Single().Value.Length ?? 0));
        Assert.Equal((Error.Types.Code.Overload, true, "the answer is full: ask for this key in another call"), (gets[1].Error.Code, gets[1].Error.Retryable, gets[1].Error.Message));
    }

    [Fact]
    public async Task PrefixThatComesInPieces_IsRead()
    {
        var get = new GetRequest { Key = new Key { Bucket = ByteString.CopyFromUtf8("b"), Key_ = ByteString.CopyFromUtf8("k") } }.ToByteArray();
        using var content = new SlowContent(Prefix(get.Length)[..2], pause: TimeSpan.FromMilliseconds(10), [.. Prefix(get.Length)[2..], .. get]);
        using var response = await CallAsync("Get", content);
        await response.Content.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        Assert.Equal(0, Status(response));
    }
}
