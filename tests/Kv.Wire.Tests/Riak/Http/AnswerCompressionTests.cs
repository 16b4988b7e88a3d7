using System.IO.Compression;
using System.Text;
using Xunit;

namespace Kv.Wire.Tests.Riak.Http;

/// <summary>Answers in gzip, for clients that ask for it and no others.</summary>
public sealed class AnswerCompressionTests(RiakServer server) : IClassFixture<RiakServer>
{
    private const string Text = "Content-Type: text/plain";
    private const string Gzip = "Accept-Encoding: gzip";
    private static readonly string Long = string.Concat(Enumerable.Repeat("a line of text\n", 1000));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate, gzip;q=0.5")]
    [InlineData("*")]
    public async Task AValue_ComesPacked_WithItsHeaders(string accepted)
    {
        await PutAsync("/buckets/z/keys/long", Text, Long);
        using var plain = await server.SendAsync("GET", "/buckets/z/keys/long");
        using var packed = await server.SendAsync("GET", "/buckets/z/keys/long", $"Accept-Encoding: {accepted}");
        Assert.Equal(["gzip"], packed.Content.Headers.ContentEncoding);
        Assert.Equal(Long, await UnpackedAsync(packed));
        Assert.True(packed.Content.Headers.ContentLength is null or < 1000);
        foreach (var header in new[] { "X-Riak-Vclock", "ETag", "Link", "Vary" })
        {
            Assert.Equal(plain.Headers.GetValues(header), packed.Headers.GetValues(header));
        }

        Assert.Equal(["Accept-Encoding"], packed.Headers.Vary);
        Assert.Equal("text/plain", packed.Content.Headers.ContentType!.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("Accept-Encoding: identity")]
    [InlineData("Accept-Encoding: gzip;q=0")]
    [InlineData("Accept-Encoding: br")]
    public async Task WithoutTheWord_ItComesAsItIs(string headers)
    {
        await PutAsync("/buckets/z/keys/long", Text, Long);
        using var answer = await server.SendAsync("GET", "/buckets/z/keys/long", headers);
        Assert.Empty(answer.Content.Headers.ContentEncoding);
        Assert.Equal(Long, await answer.Content.ReadAsStringAsync(Cancel));
    }

    [Fact]
    public async Task AValueThatIsStoredEncoded_IsNotEncodedAgain()
    {
        await PutAsync("/buckets/z/keys/own", Text + "\nContent-Encoding: deflate", Long);
        using var answer = await server.SendAsync("GET", "/buckets/z/keys/own", Gzip);
        Assert.Equal(["deflate"], answer.Content.Headers.ContentEncoding);
        Assert.Equal(Long, await answer.Content.ReadAsStringAsync(Cancel));
    }

    [Fact]
    public async Task AShortValue_AndAnError_ComeAsTheyAre()
    {
        using var shortOne = await server.SendAsync("GET", "/buckets/seed/keys/plain", Gzip);
        Assert.Equal(("hello", 5L), (await shortOne.Content.ReadAsStringAsync(Cancel), shortOne.Content.Headers.ContentLength));
        using var missing = await server.SendAsync("GET", "/buckets/seed/keys/nothing", Gzip);
        Assert.Equal((404, "not found\n"), ((int)missing.StatusCode, await missing.Content.ReadAsStringAsync(Cancel)));
    }

    [Fact]
    public async Task SiblingsAndListings_ComePacked()
    {
        await PutAsync("/types/siblings/buckets/z/keys/both", Text, Long);
        await PutAsync("/types/siblings/buckets/z/keys/both", Text, Long);
        using var siblings = await server.SendAsync("GET", "/types/siblings/buckets/z/keys/both", Gzip + "\nAccept: multipart/mixed");
        Assert.Equal(["gzip"], siblings.Content.Headers.ContentEncoding);
        var parts = MultipartParser.Parse(siblings.Content.Headers.ContentType!.ToString(), Encoding.Latin1.GetBytes(await UnpackedAsync(siblings)));
        Assert.Equal([Long, Long], parts.Select(part => part.Body));

        using var listing = await server.SendAsync("GET", "/types/siblings/buckets/z/keys?keys=stream", Gzip);
        Assert.Equal(["gzip"], listing.Content.Headers.ContentEncoding);
        Assert.Contains("\"both\"", await UnpackedAsync(listing), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PastTheBound_AnswersGoAsTheyAre()
    {
        await PutAsync("/buckets/z/keys/long", Text, Long);
        await Parallel.ForEachAsync(Enumerable.Range(0, 500), new ParallelOptions { MaxDegreeOfParallelism = 200, CancellationToken = Cancel }, async (_, cancel) =>
        {
            using var answer = await server.SendAsync("GET", "/buckets/z/keys/long", Gzip);
            Assert.Equal(Long, answer.Content.Headers.ContentEncoding.Count == 0 ? await answer.Content.ReadAsStringAsync(cancel) : await UnpackedAsync(answer));
        });

        // Their places were given back.
        using var after = await server.SendAsync("GET", "/buckets/z/keys/long", Gzip);
        Assert.Equal(["gzip"], after.Content.Headers.ContentEncoding);
    }

    private static async Task<string> UnpackedAsync(HttpResponseMessage answer)
    {
        await using var unpacking = new GZipStream(await answer.Content.ReadAsStreamAsync(Cancel), CompressionMode.Decompress);
        using var reader = new StreamReader(unpacking);
        return await reader.ReadToEndAsync(Cancel);
    }

    private async Task PutAsync(string path, string headers, string body)
    {
        using var answer = await server.SendAsync("PUT", path, headers, body);
        Assert.Equal(204, (int)answer.StatusCode);
    }
}
