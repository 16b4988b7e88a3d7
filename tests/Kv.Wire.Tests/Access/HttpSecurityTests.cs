using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Xunit;

namespace Kv.Wire.Tests.Access;

/// <summary>TLS, authentication and grants over Riak's HTTP.</summary>
public sealed class HttpSecurityTests(SecuredNode node) : IClassFixture<SecuredNode>
{
    private async Task<(int Status, string Body, HttpResponseHeaders Headers)> SendAsync(
        string method, string path, string? user = "ada:secret", string scheme = "https", X509Certificate2? certificate = null, string? referer = null)
    {
        using var client = SecuredNode.NewClient(certificate);
        using var request = new HttpRequestMessage(new HttpMethod(method), $"{scheme}://{node.Http}{path}");
        if (user is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(user)));
        }

        if (referer is not null)
        {
            request.Headers.Referrer = new Uri(referer);
        }

        if (method is "PUT" or "POST")
        {
            request.Content = new StringContent("red", Encoding.UTF8, "text/plain");
        }

        using var answer = await client.SendAsync(request);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(), answer.Headers);
    }

    [Fact]
    public async Task OverTls_NothingIsPacked()
    {
        const string Url = "/types/siblings/buckets/apples/keys/long";
        using var client = SecuredNode.NewClient();
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", "Basic " + Convert.ToBase64String("ada:secret"u8));
        client.DefaultRequestHeaders.TryAddWithoutValidation("Accept-Encoding", "gzip");
        var text = new string('r', 10_000);
        using var put = await client.PutAsync(new Uri($"https://{node.Http}{Url}"), new StringContent(text, Encoding.UTF8, "text/plain"), TestContext.Current.CancellationToken);
        Assert.Equal(204, (int)put.StatusCode);
        using var answer = await client.GetAsync(new Uri($"https://{node.Http}{Url}"), TestContext.Current.CancellationToken);
        Assert.Empty(answer.Content.Headers.ContentEncoding);
        Assert.Equal(text, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task APlainRequest_IsToldToComeByHttps()
    {
        var (status, body, headers) = await SendAsync("GET", "/types/siblings/buckets/apples/keys/k", scheme: "http");
        Assert.Equal(426, status);
        Assert.Equal("Security is enabled and Riak does not accept credentials over HTTP. Try HTTPS instead.\n", body);
        Assert.NotEmpty(headers.Upgrade);
        Assert.Equal(426, (await SendAsync("GET", "/ping", user: null, scheme: "http")).Status);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("ada:wrong")]
    [InlineData("ada")]
    [InlineData("nobody:secret")]
    [InlineData(":")]
    [InlineData("cert:secret")]
    public async Task WithoutARightPassword_ItIs401(string? user)
    {
        var (status, _, headers) = await SendAsync("GET", "/types/siblings/buckets/apples/keys/k", user);
        Assert.Equal(401, status);
        Assert.Equal("Basic realm=\"Riak\"", headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task AUser_DoesWhatItWasGranted_AndIsToldWhatNot()
    {
        Assert.Equal(204, (await SendAsync("PUT", "/types/siblings/buckets/apples/keys/k")).Status);
        Assert.Equal("red", (await SendAsync("GET", "/types/siblings/buckets/apples/keys/k")).Body);
        var (status, body, _) = await SendAsync("PUT", "/types/siblings/buckets/pears/keys/k");
        Assert.Equal((403, "Permission denied: User 'ada' does not have 'riak_kv.put' on siblings/pears"), (status, body));
        Assert.Equal(200, (await SendAsync("GET", "/ping")).Status);
        Assert.Equal(200, (await SendAsync("GET", "/stats")).Status);
    }

    [Theory]
    [InlineData("GET", "/buckets/b/keys/k", "riak_kv.get' on default/b")]
    [InlineData("HEAD", "/buckets/b/keys/k", "")]
    [InlineData("GET", "/types/siblings/buckets/b/keys/k/preflist", "riak_kv.get_preflist' on siblings/b")]
    [InlineData("PUT", "/riak/b/k", "riak_kv.put' on default/b")]
    [InlineData("POST", "/types/siblings/buckets/b/keys", "riak_kv.put' on siblings/b")]
    [InlineData("DELETE", "/types/siblings/buckets/b/keys/k", "riak_kv.delete' on siblings/b")]
    [InlineData("GET", "/buckets/b/keys?keys=true", "riak_kv.list_keys' on default/b")]
    [InlineData("GET", "/types/siblings/buckets?buckets=true", "riak_kv.list_buckets' on siblings")]
    [InlineData("GET", "/types/siblings/buckets/b/index/$bucket/b", "riak_kv.index' on siblings/b")]
    [InlineData("GET", "/buckets/b/props", "riak_core.get_bucket' on default/b")]
    [InlineData("PUT", "/buckets/b/props", "riak_core.set_bucket' on default/b")]
    [InlineData("DELETE", "/buckets/b/props", "riak_core.set_bucket' on default/b")]
    [InlineData("GET", "/types/siblings/props", "riak_core.get_bucket_type' on siblings")]
    [InlineData("PUT", "/types/siblings/props", "riak_core.set_bucket_type' on siblings")]
    [InlineData("GET", "/riak/b", "riak_core.get_bucket' on default/b")]
    [InlineData("GET", "/riak/b?props=false&keys=true", "riak_kv.list_keys' on default/b")]
    [InlineData("PUT", "/riak/b", "riak_core.set_bucket' on default/b")]
    [InlineData("POST", "/riak/b", "riak_kv.put' on default/b")]
    [InlineData("GET", "/types/sets/buckets/b/datatypes/k", "riak_kv.get' on sets/b")]
    [InlineData("POST", "/types/sets/buckets/b/datatypes/k", "riak_kv.put' on sets/b")]
    [InlineData("POST", "/types/sets/buckets/b/datatypes", "riak_kv.put' on sets/b")]
    [InlineData("GET", "/buckets/b/counters/k", "riak_kv.get' on default/b")]
    [InlineData("POST", "/buckets/b/counters/k", "riak_kv.put' on default/b")]
    public async Task EachRequest_NeedsItsPermission(string method, string path, string denied)
    {
        var (status, body, _) = await SendAsync(method, path, "poor:secret");
        Assert.Equal(403, status);
        Assert.Equal(denied.Length == 0 ? "" : $"Permission denied: User 'poor' does not have '{denied}", body);
    }

    [Fact]
    public async Task Links_AreNotFollowed()
    {
        var (status, body, _) = await SendAsync("GET", "/types/siblings/buckets/apples/keys/k/_,_,_");
        Assert.Equal((403, "links are not followed while security is enabled\n"), (status, body));
    }

    [Fact]
    public async Task AClientCertificate_ShowsWhoItIs_WithOrWithoutItsName()
    {
        using var certificate = node.IssueClient("cert");
        Assert.Equal(404, (await SendAsync("GET", "/buckets/b/keys/none", user: null, certificate: certificate)).Status);
        Assert.Equal(404, (await SendAsync("GET", "/buckets/b/keys/none", user: "cert:", certificate: certificate)).Status);
        Assert.Equal(401, (await SendAsync("GET", "/buckets/b/keys/none", user: "cert:")).Status);
    }

    [Fact]
    public async Task APageOfAnotherSite_IsRefused()
    {
        Assert.Equal(403, (await SendAsync("GET", "/ping", referer: "https://elsewhere.example/page")).Status);
        Assert.Equal(403, (await SendAsync("GET", "/ping", referer: $"http://{node.Http}/page")).Status);
        Assert.Equal(200, (await SendAsync("GET", "/ping", referer: $"https://{node.Http}/page")).Status);
    }

    [Fact]
    public async Task TheTrusted_NeedNoPassword_ButTls()
    {
        Assert.Equal(404, (await SendAsync("GET", "/buckets/b/keys/none", user: "bob:")).Status);
        Assert.Equal(426, (await SendAsync("GET", "/buckets/b/keys/none", user: "bob:", scheme: "http")).Status);
    }

    [Fact]
    public async Task AConnectionThatSaysNothing_HoldsNobodyUp()
    {
        using var silent = new System.Net.Sockets.TcpClient();
        await silent.ConnectAsync(node.Http, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, (HttpStatusCode)(await SendAsync("GET", "/ping")).Status);
    }
}
